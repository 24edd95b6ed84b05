"""`python -m tests.benchmarks.judging`: a whole round in the browser, and whether what is planted is found.

A manager makes a study on the page Study; two careful raters like the learned voice and the looked-up fact by
known amounts, a third clicks through. They judge 30 questions each on the real pages, and the page Report is
read: told are its effects with their intervals beside those planted (each interval misses in 5 of 100
rounds), what it says of each rater, and its advice.
"""

import argparse
import re
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

from assistant.adapters import FILES, Lineage, install
from assistant.brand import Brand, write_brand
from assistant.server import make_app
from assistant.studio import Studio
from assistant.workspace import open_workspace
from knowledge.retrieval import KnowledgeBase
from tests.fakes import FakeModels, WordEncoder
from tests.simulated_raters import Careful, Lazy, PlantedEngine, rate
from tests.ui.conftest import CHROMIUM, CHROMIUM_ARGUMENTS, RETURNS, listening_server
from tests.ui.working_pages import listening

TUNING, RETRIEVAL, POINTS = 2.0, 1.5, 2.0
"""What is planted: in log-odds of being preferred, and in points of the scores."""
PLANTED = {
    ("Preference", "Fine-tuning"): TUNING,
    ("Preference", "Retrieval"): RETRIEVAL,
    ("Brand voice", "Fine-tuning"): POINTS,
    ("Brand voice", "Retrieval"): 0.0,
    ("Accuracy", "Fine-tuning"): 0.0,
    ("Accuracy", "Retrieval"): POINTS,
}
RATERS = ("Maria", "Ben", "Lazy")
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
NUMBERS = re.compile(r"(-?[\d.]+) \((-?[\d.]+) to (-?[\d.]+)\)")


def planted_studio(folder: Path) -> Studio:
    """A company whose assistants differ as planted."""
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
    return studio


def make_study(page: Page, address: str, studio: Studio, *, questions: int, seed: int) -> None:
    """Make a study as a manager does, and hand it out; the seed of who sees what when is given."""
    page.goto(f"{address}/study")
    listening(page)
    page.get_by_label("Name of a new study").fill("Spring round")
    page.get_by_role("button", name="New study").click()
    expect(page.locator("#q-study-studies")).to_contain_text("Spring round")
    (study,) = studio.studies.list()
    studio.studies.save_settings(study.id, replace(study.settings, seed=seed))
    typed = "\n".join(f"Do refunds for pot {number} take long?" for number in range(questions))
    page.get_by_label("Type them, one a line").fill(typed)
    page.get_by_role("button", name="Add these").click()
    expect(page.locator("#q-study-items li")).to_have_count(questions)
    for count, name in enumerate(RATERS, 1):
        page.get_by_label("Name of a rater").fill(name)
        page.keyboard.press("Enter")
        expect(page.locator("#q-study-raters")).to_contain_text(name)
        expect(page.locator("#q-study-now")).to_contain_text(f"for {count} rater")
    page.get_by_role("button", name="Get the answers").click()
    page.get_by_role("button", name="Open the round").click()
    expect(page.locator("#q-study-now")).to_contain_text("votes given")


def judge(page: Page, address: str, studio: Studio, seed: int) -> None:
    """Let the three raters judge their sheets, one after the other."""
    study = studio.studies.list()[0]
    people = (Careful(seed, TUNING, RETRIEVAL), Careful(seed + 1, TUNING, RETRIEVAL), Lazy(seed, 0.0, 0.0))
    for rater, person in zip(studio.rounds.raters(study.id), people, strict=True):
        rate(page, f"{address}/rate/{rater.token}", person)


def rows_of(page: Page, title: str) -> list[list[str]]:
    """The cells of the table behind a title of the report."""
    behind = page.locator("summary", has_text=re.compile(f"^{title}"))
    table = page.locator("details", has=behind).locator("table")
    return [row.locator("td").all_text_contents() for row in table.locator("tr").all()[1:]]


def effects_on(page: Page) -> dict[tuple[str, str], tuple[float, float, float]]:
    """The effects that the page Report tells, by measure and factor: value and interval."""
    found = {}
    for measure, factor, interval, *_ in rows_of(page, "Effects: preference"):
        told = NUMBERS.fullmatch(interval)
        if told and (measure, factor) in PLANTED:
            value, low, high = map(float, told.groups())
            found[measure, factor] = value, low, high
    return found


def doubts_on(page: Page) -> dict[str, str]:
    """What the page Report doubts of each rater, by name."""
    return {name: doubts for name, *_, doubts in rows_of(page, "Raters")}


def open_report(page: Page, address: str) -> None:
    """Open the page Report and wait until it is drawn."""
    page.goto(f"{address}/report")
    page.locator(".qr h1").wait_for()


def tell(page: Page) -> None:
    """Print what the page Report says, beside what was planted."""
    print(page.locator(".qr header").inner_text())
    for (measure, factor), (value, low, high) in effects_on(page).items():
        planted = PLANTED[measure, factor]
        within = "within" if low <= planted <= high else "NOT within"
        found = f"{value:+.2f} [{low:+.2f}, {high:+.2f}], {within}"
        print(f"{measure}, {factor.lower()}: planted {planted:+.2f}, found {found}")
    for name, doubts in doubts_on(page).items():
        print(f"{name}: doubts: {doubts}")


def photograph(page: Page, folder: Path) -> None:
    """Pictures of the report, on a desk and a phone."""
    for name, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        page.screenshot(path=folder / f"report-{name}.png", full_page=True)


def main() -> None:
    """Make the study, let it be judged, and tell what the report says."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--questions", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--pictures", type=Path, help="a folder for pictures of the report")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        studio = planted_studio(Path(folder))
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(CHROMIUM_ARGUMENTS))
        with listening_server(make_app(studio)) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 900})
            began = time.monotonic()
            make_study(page, address, studio, questions=options.questions, seed=options.seed)
            judge(page, address, studio, options.seed)
            print(f"made and judged in {time.monotonic() - began:.0f} s")
            open_report(page, address)
            tell(page)
            if options.pictures:
                photograph(page, options.pictures)
        browser.close()


if __name__ == "__main__":
    main()
