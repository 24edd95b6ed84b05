"""What is claimed where there is nothing: `python -m tests.benchmarks.null [--studies 200]`.

Simulated studies in which all four assistants are equal go through the whole report. Told is in how many it
claims an effect, advises an assistant, and doubts a rater who did nothing wrong.
"""

import argparse

from assistant.reports.findings import findings
from tests.assistant.reports.studied import NOTHING, study

DESIGNS = ((30, 3, 3), (40, 5, 2), (60, 4, 2))


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--studies", type=int, default=200)
    studies = options.parse_args().studies
    for questions, raters, each in DESIGNS:
        found = [
            findings(study(NOTHING, questions=questions, raters=raters, each=each, seed=seed))
            for seed in range(studies)
        ]
        claimed = sum(each.state == "decided" for each in found) / studies
        advised = sum(each.state == "decided" and bool(each.advised) for each in found) / studies
        doubted = sum(any(rater.care.doubts for rater in each.raters) for each in found) / studies
        print(
            f"{questions} questions, {raters} raters, {each} each: claims a difference in {claimed:.3f}, "
            f"advises for one in {advised:.3f}, doubts a rater in {doubted:.3f} of {studies} studies",
            flush=True,
        )


if __name__ == "__main__":
    main()
