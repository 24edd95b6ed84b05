"""`python -m tests.benchmarks.judging`: a whole round in the browser, and whether what is planted is found.

Two careful raters like the learned voice and the looked-up fact by known amounts, a third clicks through.
They judge 30 questions each on the real pages; told are the effects with their intervals beside those
planted (each interval misses in 5 of 100 rounds), and which raters are doubted.
"""

import argparse
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from assistant.adapters import FILES, Lineage, install
from assistant.brand import Brand, write_brand
from assistant.comparison import Item, Study, StudySettings
from assistant.reports.evidence import Evidence
from assistant.reports.findings import Findings, findings
from assistant.server import make_app
from assistant.statistics import Estimate
from assistant.studio import Studio
from assistant.workspace import open_workspace
from knowledge.retrieval import KnowledgeBase
from tests.fakes import FakeModels, WordEncoder
from tests.simulated_raters import Careful, Lazy, PlantedEngine, rate
from tests.ui.conftest import CHROMIUM, CHROMIUM_ARGUMENTS, RETURNS, listening_server

TUNING, RETRIEVAL, POINTS = 2.0, 1.5, 2.0
"""What is planted: in log-odds of being preferred, and in points of the scores."""


def studio_with_answers(folder: Path, questions: int) -> tuple[Studio, Study]:
    """A company whose planted assistants have answered a study of three raters."""
    workspace = open_workspace(folder / "acme")
    write_brand(workspace.brand_file, Brand("Acme", tone="Plain."))
    for name in (*FILES, "returns.md"):
        (folder / name).write_text(RETURNS if name == "returns.md" else "{}", encoding="utf-8")
    install(
        workspace.adapters,
        folder,
        Lineage("paper", "", "", "", "", {}, (), 1, 1, 1, 1, 0, "2026-01-01T00:00:00"),
    )
    KnowledgeBase(workspace.knowledge, WordEncoder).add([(folder / "returns.md", "returns.md")])
    studio = Studio(workspace.root, FakeModels(PlantedEngine()))
    studio.load()
    study = studio.studies.new("Spring round")
    studio.studies.save_settings(study.id, StudySettings(seed=5))
    studio.studies.add_items(
        study.id, [Item(0, f"Do refunds for pot {n} take long?") for n in range(questions)]
    )
    for name in ("Maria", "Ben", "Lazy"):
        studio.rounds.add_rater(study.id, name)
    studio.answer_study(study.id)
    while studio.answering.now(study.id, studio.studies).running:
        time.sleep(0.1)
    return studio, studio.rounds.open(study.id)


def judge(studio: Studio, study: Study, seed: int) -> None:
    """Let the three raters judge their sheets, one after the other, in Chromium."""
    people = (Careful(seed, TUNING, RETRIEVAL), Careful(seed + 1, TUNING, RETRIEVAL), Lazy(seed, 0.0, 0.0))
    with listening_server(make_app(studio)) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS))
        for rater, person in zip(studio.rounds.raters(study.id), people, strict=True):
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            rate(page, f"{address}/rate/{rater.token}", person)
            page.close()
        browser.close()


def tell(found: Findings) -> None:
    """Print what was planted beside what was found."""
    by_name = {measure.name: measure.effects for measure in found.measures}
    planted = {"Brand voice": (POINTS, 0.0), "Accuracy": (0.0, POINTS)}
    print(f"{found.rankings} rankings of {found.questions} questions count")
    for name, effects in by_name.items():
        for effect, value, estimate in zip(
            ("tuning", "retrieval"),
            planted.get(name, (TUNING, RETRIEVAL)),
            (effects.tuning, effects.retrieval),
            strict=True,
        ):
            print(f"{name}, {effect}: planted {value:+.2f}, found {_shown(estimate, value)}")
    for rater in found.raters:
        left_out = ", left out" if rater.left_out else ""
        print(f"{rater.name}: {'; '.join(rater.care.doubts) or 'no doubt'}{left_out}")


def _shown(estimate: Estimate, planted: float) -> str:
    within = "within" if estimate.low <= planted <= estimate.high else "NOT within"
    return f"{estimate.value:+.2f} [{estimate.low:+.2f}, {estimate.high:+.2f}], {within}"


def main() -> None:
    """Make the study, let it be judged, and tell what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        studio, study = studio_with_answers(Path(folder), options.questions)
        began = time.monotonic()
        judge(studio, study, options.seed)
        print(f"judged in {time.monotonic() - began:.0f} s")
        tell(findings(Evidence.of(studio.desk, study.id)))


if __name__ == "__main__":
    main()
