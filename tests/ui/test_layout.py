"""What every page shares."""

import re
from pathlib import Path

import pytest

from assistant import ui
from assistant.studio import Readiness
from assistant.ui.layout import status_line


@pytest.mark.parametrize(
    ("description", "text"),
    [
        (
            "SmolLM2-135M-Instruct-bcc81830 on cpu, bfloat16 (no graphics card), compiled graph",
            "SmolLM2-135M-Instruct on this computer’s processor",
        ),
        (
            "Qwen3-8B on cuda, bfloat16 (the card computes it), torch",
            "Qwen3-8B on this computer’s graphics card",
        ),
        ("Qwen3-8B on the model server at http://gpu/v1", "Qwen3-8B on the model server at http://gpu/v1"),
    ],
    ids=["processor", "card", "server"],
)
def test_the_status_line_is_short_and_the_whole_of_it_is_there_to_open(description, text):
    shown = status_line(Readiness(True, description, 1.0))
    assert f"<span>{text}</span>" in shown
    assert f"<p>{description}</p>" in shown


def test_no_link_of_a_page_leaves_the_path_that_a_proxy_serves_quartet_under():
    sources = [path for path in Path(ui.__file__).parent.iterdir() if path.suffix in (".py", ".js", ".html")]
    absolute = re.compile(r"""(href|action|src)=["']/|location\.assign\(["'`]/""")
    assert len(sources) > 20
    assert [path.name for path in sources if absolute.search(path.read_text(encoding="utf-8"))] == []
