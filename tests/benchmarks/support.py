"""`python -m tests.benchmarks.support`: how often a sentence marked as unsupported is so.

100 sentences of the starter's answers to questions of the demo, by all four lanes, labelled by reading them
against the documents: *supported*, *unsupported* (the documents do not say it, or say otherwise), or *no
claim* (an apology, an echo of the question). The threshold was chosen on the demo's conversations alone; the
rule that passes over what the assistant says of itself was added after a first look at these (it was 0.77).
"""

import json
from collections import Counter
from pathlib import Path

from assistant.brand import read_brand
from assistant.demo import DEMO
from assistant.support import phrases
from knowledge.support import claims, is_supported
from tests.benchmarks.companies import demo_company, load_encoder

LABELLED = Path(__file__).with_suffix(".jsonl")


def main() -> None:
    """Print precision and recall, and by label and lane how many sentences are marked."""
    encoder = load_encoder()
    snapshot = demo_company(encoder).snapshot()
    ignoring = phrases(read_brand(DEMO / "brand.toml"))
    lines = [json.loads(line) for line in LABELLED.read_text(encoding="utf-8").splitlines()]

    def marked(sentence: str) -> bool:
        said = claims(sentence, ignoring=ignoring)
        vectors = encoder.encode(said)
        return any(
            not is_supported(each, *snapshot.nearest(each, vector))
            for each, vector in zip(said, vectors, strict=True)
        )

    seen = Counter((line["label"], marked(line["sentence"])) for line in lines)
    of = {label: seen[label, True] + seen[label, False] for label in ("unsupported", "supported", "no claim")}
    right, all_marked = seen["unsupported", True], sum(seen[label, True] for label in of)
    print(f"precision {right / all_marked:.2f} ({right} of {all_marked} marked sentences are unsupported)")
    print(f"recall    {right / of['unsupported']:.2f} ({right} of {of['unsupported']} are marked)")
    for label, count in of.items():
        print(f"{label:12} {seen[label, True]:3} of {count} marked")


if __name__ == "__main__":
    main()
