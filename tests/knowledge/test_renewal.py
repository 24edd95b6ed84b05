"""Other settings, another encoder, newer readers: the index is made anew while the old one serves."""

import json
import threading
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge.chunking import CutSettings, count_words
from knowledge.errors import KnowledgeError
from knowledge.preferences import Preferences, read_preferences
from knowledge.retrieval import KnowledgeBase
from knowledge.storage import digest_of
from tests.knowledge.conftest import HOURS, POTS, WordEncoder, Write, best, names, reopened

LONG = "# Long\n\n" + " ".join(f"Sentence {number} speaks of thing {number}." for number in range(60))


class HeldEncoder(WordEncoder):
    """Encodes nothing before it is let go."""

    def __init__(self, identity: str = "words") -> None:
        super().__init__(identity)
        self.asked, self.go = threading.Event(), threading.Event()

    def encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.set()
        assert self.go.wait(20)
        return super().encode(texts)


def test_changed_settings_reach_every_passage_and_outlive_a_restart(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    knowledge.add([write("long.md", LONG)])
    knowledge.change_settings(CutSettings(30, 12))
    knowledge.renewal.wait()
    again = reopened(knowledge, encoder)
    assert again.settings == CutSettings(30, 12)
    found = again.search("thing", count=100).found
    assert len(found) == len(again) > 10
    assert all(count_words(each.passage.text) <= 36 for each in found)
    ends = sorted((each.passage.start, each.passage.end) for each in found)
    assert any(one[1] > other[0] for one, other in pairwise(ends))  # they overlap
    again.change_settings(CutSettings(30, 0))
    again.renewal.wait()
    ends = sorted((each.passage.start, each.passage.end) for each in again.search("thing", count=100).found)
    assert all(one[1] <= other[0] for one, other in pairwise(ends))


def test_settings_chosen_before_any_document_are_used_for_the_first(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.change_settings(CutSettings(30, 12))
    knowledge.add([write("long.md", LONG)])
    assert len(knowledge) > 10


def test_the_old_index_serves_until_the_new_one_is_swapped_in_whole(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    best(knowledge, "shop hours")
    held = HeldEncoder("other")
    knowledge.use_encoder(lambda: held)
    assert held.asked.wait(20)
    assert (knowledge.version, knowledge.renewal.state.running) == ("0001", True)
    found = knowledge.search("When does the shop open?").found[0]
    assert (found.passage.document, found.dense_rank) == ("hours.md", 1)
    held.go.set()
    knowledge.renewal.wait()
    assert (knowledge.version, knowledge.renewal.state.running) == ("0002", False)
    assert knowledge.search("When does the shop open?").found[0].dense_rank == 1
    assert len(held.texts) == 3  # two passages and the question


def test_the_names_of_chosen_models_outlive_a_restart_and_leave_the_cut_alone(
    knowledge: KnowledgeBase, encoder: WordEncoder
) -> None:
    knowledge.change_settings(CutSettings(30, 12))
    knowledge.use_encoder(lambda: WordEncoder("other"), name="org/other")
    knowledge.use_reranker(lambda: None, name="/models/cross")
    kept = reopened(knowledge, encoder).preferences
    assert kept == Preferences(CutSettings(30, 12), "org/other", "/models/cross")
    knowledge.use_encoder(lambda: encoder)
    assert knowledge.preferences == replace(kept, embedder="")


def test_where_the_old_encoder_is_gone_words_are_searched_meanwhile(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    held = HeldEncoder("other")
    again = KnowledgeBase(knowledge.folder, lambda: held)
    found = again.search("When does the shop open?").found
    assert [each.passage.document for each in found] == ["hours.md"]
    assert (found[0].dense_rank, found[0].lexical_rank, found[0].matched_words) == (None, 1, ("shop",))
    held.go.set()
    again.renewal.wait()
    assert again.search("When does the shop open?").found[0].dense_rank == 1


def test_documents_can_be_changed_while_the_index_is_made_anew(
    knowledge: KnowledgeBase, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS), write("hours.md", HOURS)])
    held = HeldEncoder()
    knowledge.use_encoder(lambda: held)
    knowledge.change_settings(CutSettings(40, 0))
    held.go.set()
    knowledge.add([write("bags.md", "# Bags\n\nBags are blue.\n")])
    knowledge.remove(["pots.md"])
    knowledge.renewal.wait()
    assert names(knowledge) == ["bags.md", "hours.md"]
    assert {each.passage.document for each in knowledge.search("shop").found} == {"bags.md", "hours.md"}


def test_what_went_wrong_is_told_and_the_old_index_stays(knowledge: KnowledgeBase, write: Write) -> None:
    knowledge.add([write("pots.md", POTS)])
    best(knowledge, "pots")

    def broken() -> WordEncoder:
        raise KnowledgeError("no such model")

    knowledge.use_encoder(broken)
    knowledge.renewal.wait()
    assert knowledge.renewal.state.problem == "no such model"
    assert knowledge.version == "0001"


def test_an_index_of_earlier_readers_is_made_anew(
    knowledge: KnowledgeBase, encoder: WordEncoder, write: Write
) -> None:
    knowledge.add([write("pots.md", POTS)])
    path = knowledge.folder / "versions" / "0001" / "manifest.json"
    stored = json.loads(path.read_text())
    content = json.loads(stored["content"])
    del content["edition"]
    text = json.dumps(content)
    path.write_text(json.dumps({"version": 1, "sha256": digest_of(text.encode()), "content": text}))
    again = reopened(knowledge, encoder)
    assert best(again, "pots") == "pots.md"
    again.renewal.wait()
    assert again.version == "0002"
    again.renew()
    assert again.version == "0002"


def test_damaged_settings_are_told(knowledge: KnowledgeBase) -> None:
    (knowledge.folder / "settings.json").write_text('{"words": 90}')
    with pytest.raises(
        KnowledgeError, match=r"settings\.json can't be read \(KeyError: 'overlap'\)\. It must"
    ):
        read_preferences(knowledge.folder)
