"""The table of an evaluation: every number with its interval and n, and no effect called one that is none."""

from assistant.evaluation import Criterion, Evaluation
from assistant.reports import evaluation_table
from assistant.statistics import Effects, Estimate

LANES = {
    "prompt": Estimate(0.125, 0.0, 0.25, 40),
    "tuned": Estimate(0.5, 0.25, 0.75, 40),
    "rag": Estimate(0.75, 0.5, 1.0, 40),
    "combined": Estimate(1.0, 1.0, 1.0, 40),
}
THREE = Effects(
    Estimate(0.3125, 0.1, 0.5, 40), Estimate(-0.25, -0.4, -0.1, 40), Estimate(0.05, -0.1, 0.2, 40)
)


def test_the_table_shows_lanes_effects_floor_and_count():
    evaluation = Evaluation((Criterion("accuracy", LANES, THREE),), 72, 0.1234)
    assert evaluation_table(evaluation) == (
        "| criterion | n | Prompt only | Fine-tuned | RAG | Combined |\n"
        "|---|---|---|---|---|---|\n"
        "| accuracy | 40 | 0.125 [0.000, 0.250] | 0.500 [0.250, 0.750] | 0.750 [0.500, 1.000] | "
        "1.000 [1.000, 1.000] |\n"
        "\n"
        "| effect on | of tuning | of retrieval | of both beyond their sum |\n"
        "|---|---|---|---|\n"
        "| accuracy | **+0.312 [+0.100, +0.500]** | **-0.250 [-0.400, -0.100]** | "
        "+0.050 [-0.100, +0.200], not decided |\n"
        "\n"
        "72 questions; 95 % intervals by bootstrap over questions, paired. "
        "Repeating the question would score a token-F1 of 0.123."
    )


def test_two_lanes_have_a_table_and_no_effects():
    two = {key: LANES[key] for key in ("prompt", "rag")}
    table = evaluation_table(Evaluation((Criterion("voice", two, None),), 40, 0.0))
    assert table.startswith("| criterion | n | Prompt only | RAG |\n|---|---|---|---|\n| voice | 40 |")
    assert "effect on" not in table
    assert "token-F1" not in table
