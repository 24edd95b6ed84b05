"""The drawer with how documents are cut."""

import pytest

from assistant.ui.cutting import renewal_html
from knowledge.chunking import CutSettings
from knowledge.library import Progress
from knowledge.renewal import RenewalState

LONG = "# Long\n\n" + " ".join(f"Sentence {number} speaks of thing {number}." for number in range(60))


def test_saved_numbers_reach_the_index(handlers, studio, tmp_path):
    path = tmp_path / "long.md"
    path.write_text(LONG)
    studio.knowledge.add([(path, "long.md")])
    before = len(studio.knowledge)
    words, overlap, said, _, _ = handlers["cutting_save"](30.0, 10.0)
    assert (words, overlap, "Saved" in said) == (30, 10, True)
    studio.knowledge.renewal.wait()
    assert len(studio.knowledge) > before + 5
    assert handlers["cutting_show"]()[:2] == (30, 10)
    handlers["cutting_reset"]()
    studio.knowledge.renewal.wait()
    assert len(studio.knowledge) == before


def test_numbers_that_make_no_sense_are_told_and_not_kept(handlers, studio):
    words, overlap, said, _, _ = handlers["cutting_save"](30.0, 40.0)
    assert (words, overlap) == (30, 40)
    assert "Passage overlap: found 40 words" in said
    assert studio.knowledge.settings == CutSettings()


@pytest.mark.parametrize(
    ("state", "text"),
    [
        (RenewalState(), ""),
        (RenewalState(problem="no <model>"), "no &lt;model&gt;"),
        (RenewalState(running=True), "searches use the earlier ones until then."),
        (
            RenewalState(running=True, progress=Progress("Embedding passages", 3, 9)),
            "Embedding passages (3 of 9).",
        ),
    ],
    ids=["nothing", "problem", "begun", "on its way"],
)
def test_how_far_the_passages_are_is_told(state, text):
    assert text in renewal_html(state)
