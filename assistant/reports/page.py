"""The report on a study as HTML: words and pictures first, tables behind.

It knows the order of things on the page, and that every text from people or models is escaped. It works
nothing out.
"""

from html import escape
from importlib.resources import files

from assistant.comparison import HIGHEST_SCORE, HUMAN, LOWEST_SCORE
from assistant.prompts import Message
from assistant.reports.details import Telling, TellingAnswer
from assistant.reports.drawing import Row, bars_picture, effects_picture, table
from assistant.reports.evidence import system_name
from assistant.reports.findings import PREFERENCE, Measure
from assistant.reports.judged import Report
from assistant.reports.words import (
    agreement_in_words,
    blinding_in_words,
    headline,
    recommendation,
    won,
)
from assistant.statistics import Estimate
from assistant.wording import counted

FACTORS = ("Fine-tuning", "Retrieval", "Both, beyond their sum")
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The file loads nothing from anywhere."""
STYLE = files("assistant.reports").joinpath("report.css")


def style() -> str:
    """The style sheet of the report, for the page and for the file alike."""
    return STYLE.read_text(encoding="utf-8")


def whole_page(report: Report) -> str:
    """The report as a file of its own: opens offline, and prints on A4."""
    title = escape(f"{report.company}: {report.evidence.study.name}")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f"<title>{title}</title><style>{style()}</style></head>"
        f'<body class="qr-file">{body(report)}</body></html>\n'
    )


def body(report: Report) -> str:
    """The report itself, for a page that has its style sheet."""
    parts = [
        _opening(report),
        _effects(report),
        _lanes(report),
        _trust(report),
        _costs(report),
        _topics(report),
        _orders(report),
        _examples(report),
        _tables(report),
        _setup(report),
    ]
    return f'<article class="qr">{"".join(parts)}</article>'


def _opening(report: Report) -> str:
    found, evidence = report.findings, report.evidence
    said = "".join(f"<p>{escape(sentence)}</p>" for sentence in recommendation(found))
    counts = (
        f"{counted(found.rankings, 'ranking')} of {counted(found.questions, 'question')} "
        f"by {counted(len(found.raters), 'rater')}"
    )
    counts += f"; in {found.unusable} of the votes no answer was usable" if found.unusable else ""
    early = (
        ""
        if found.preference.ended or found.state == "empty"
        else '<p class="qr-early">The round is not over. Until it is, only what would hold however often one '
        "looks is called decided.</p>"
    )
    return (
        f'<header class="qr-top qr-{found.state}"><p class="qr-over">{escape(report.company)} · '
        f"{escape(evidence.study.name)} · {escape(evidence.study.created[:10])}</p>"
        f"<h1>{escape(headline(found))}</h1>{said}{early}<p class='qr-small'>{escape(counts)}.</p></header>"
    )


def _section(title: str, *parts: str) -> str:
    return f"<section><h2>{escape(title)}</h2>{''.join(parts)}</section>" if any(parts) else ""


def _small(text: str) -> str:
    return f'<p class="qr-small">{escape(text)}</p>'


def _effects(report: Report) -> str:
    found = report.findings
    if not found.preference.effects.tuning.known:
        return ""
    preference = [_effect_row(found.preference, place, "") for place in range(3)]
    scores = [
        _effect_row(measure, place, measure.name) for measure in found.measures[1:] for place in range(3)
    ]
    return _section(
        "What fine-tuning and retrieval do",
        "<h3>Preference: comparisons won of 100</h3>",
        effects_picture(preference, "wins less", "wins more"),
        "<h3>Scores: points of 5</h3>" if scores else "",
        effects_picture(scores, "takes points", "adds points") if scores else "",
        _small(
            "A dot is what was seen, the line around it where the truth lies in 95 of 100 such studies, with "
            "other questions and other raters. Hollow: could be chance, with all that this report tests."
        ),
    )


def _effect_row(measure: Measure, place: int, prefix: str) -> Row:
    effect = measure.effects.each[place]
    name = f"{prefix}: {FACTORS[place].lower()}" if prefix else FACTORS[place]
    if not effect.known:
        return Row(name, effect, effect.reason, sure=False)
    if measure.key == PREFERENCE:
        text = f"{won(effect.value):.0f} ({won(effect.low):.0f} to {won(effect.high):.0f})"
    else:
        text = "{} ({} to {})".format(*(_signed(each) for each in (effect.value, effect.low, effect.high)))
    return Row(name, effect, text, sure=measure.holds[place])


def _signed(value: float) -> str:
    return f"{value:+.1f}" if abs(value) >= 0.05 else "0.0"


def _lanes(report: Report) -> str:
    found = report.findings
    if found.state == "empty":
        return ""
    parts = []
    for measure in found.measures:
        preferred = measure.key == PREFERENCE
        ends = (0.0, 1.0) if preferred else (float(LOWEST_SCORE), float(HIGHEST_SCORE))
        rows = [_lane_row(measure, system, mean) for system, mean in measure.lanes.items()]
        title = "Preferred to another, in 100 comparisons" if preferred else f"{measure.name}, 1 to 5"
        parts.append(f"<div><h3>{escape(title)}</h3>{bars_picture(rows, *ends)}</div>")
    ranks = ", ".join(
        f"{system_name(system)} {low if low == high else f'{low} to {high}'}"
        for system, (low, high) in found.ranks.items()
    )
    return _section(
        "The assistants side by side",
        f'<div class="qr-columns">{"".join(parts)}</div>',
        _small(
            f"Ranks in preference that each can have: {ranks}. Those that share ranks can't be told apart."
        ),
    )


def _lane_row(measure: Measure, system: str, mean: Estimate) -> Row:
    scale, digits = (100, 0) if measure.key == PREFERENCE else (1, 1)
    text = f"{scale * mean.value:.{digits}f}" if mean.value == mean.value else mean.reason
    if mean.known:
        text += f" ({scale * mean.low:.{digits}f} to {scale * mean.high:.{digits}f})"
    return Row(system_name(system), mean, text, colour="ink-soft" if system == HUMAN else system)


def _trust(report: Report) -> str:
    found = report.findings
    if found.state == "empty":
        return ""
    said = [*agreement_in_words(found), blinding_in_words(found.blinding)]
    return _section("How far to trust it", "<ul>", *(f"<li>{escape(text)}</li>" for text in said), "</ul>")


def _costs(report: Report) -> str:
    if not report.costs:
        return ""
    rows = [
        [
            system_name(system),
            f"{cost.seconds:.1f} s",
            f"{cost.first_word:.1f} s",
            f"{cost.tokens_read:,.0f}",
            f"{cost.tokens_written:,.0f}",
        ]
        for system, cost in report.costs.items()
    ]
    trained = report.training_seconds
    return _section(
        "What an answer costs",
        table(["", "#time", "#to the first word", "#tokens read", "#tokens written"], rows),
        _small(
            "Medians over the answers of this study. The assistants were asked together and shared the "
            "machine: the tokens tell what each takes by itself."
            + (f" Training the voice took {_duration(trained)}." if trained else "")
        ),
    )


def _orders(report: Report) -> str:
    if not report.orders:
        return ""
    systems = report.evidence.systems
    rows = [
        [each.document, each.text, *(str(each.followed.get(system, 0)) for system in systems)]
        for each in report.orders
    ]
    return _section(
        "Orders in the documents",
        table(
            ["document", "what it tells the assistant", *(f"#{system_name(each)}" for each in systems)], rows
        ),
        _small(
            "How many answers of this study seem to follow an order that stands in a document. Raters were "
            "not told. Look at these documents, and remove what speaks to the assistant."
        ),
    )


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} seconds" if seconds < 90 else f"{seconds / 60:.0f} minutes"


def _topics(report: Report) -> str:
    if not report.topics:
        return ""
    systems = report.evidence.systems
    rows = [
        [topic.name, f"{topic.rankings}"]
        + [_interval(topic.wins[each], 100, 0) if each in topic.wins else "" for each in systems]
        for topic in report.topics
    ]
    heads = ["topic", "#rankings", *(f"#{system_name(each)}" for each in systems)]
    note = "Comparisons won of 100, with the 95 % interval. Single topics are looked at, not tested."
    return _section("By topic", table(heads, rows), _small(note))


def _examples(report: Report) -> str:
    shown = "".join(_example(telling, report) for telling in report.telling)
    lead = _small("The questions whose answers raters told apart the most. The best answer stands first.")
    return _section("The most telling questions", lead, shown) if shown else ""


def _example(telling: Telling, report: Report) -> str:
    names = {criterion.key: criterion.name for criterion in report.evidence.study.criteria}
    earlier = "".join(_turn(turn) for turn in telling.item.history)
    answers = "".join(_answer(each, names) for each in telling.answers)
    comments = "".join(f"<li>{escape(comment)}</li>" for comment in telling.comments)
    return (
        f'<div class="qr-example">{earlier}<p class="qr-question">{escape(telling.item.question)}</p>'
        f'<div class="qr-answers">{answers}</div>'
        + (f'<ul class="qr-small">{comments}</ul>' if comments else "")
        + f"{_small(counted(telling.votes, 'vote'))}</div>"
    )


def _turn(turn: Message) -> str:
    who = "Customer" if turn.role == "user" else "Agent"
    return f'<p class="qr-turn"><b>{who}</b> {escape(turn.content)}</p>'


def _answer(told: TellingAnswer, names: dict[str, str]) -> str:
    scores = "".join(f" · {escape(names[key])} {score:.1f}" for key, score in told.scores.items())
    wrong = "".join(f"<li>{escape(sentence)}</li>" for sentence in told.wrong)
    colour = "ink-soft" if told.system == HUMAN else told.system
    return (
        f'<div class="qr-answer" style="border-color:var(--q-{colour})">'
        f"<h4>{escape(system_name(told.system))} <span>won {100 * told.won:.0f} of 100{scores}</span></h4>"
        f'<p class="qr-said">{escape(told.answer.text)}</p>'
        + (f'<p class="qr-small">Marked as wrong:</p><ul class="qr-small">{wrong}</ul>' if wrong else "")
        + "</div>"
    )


def _tables(report: Report) -> str:
    found = report.findings
    if found.state == "empty":
        return ""
    effects = [
        [measure.name, FACTORS[place], _interval(effect, 1, 2), _chance(effect.chance), _chance(chance)]
        for measure in found.measures
        for place, (effect, chance) in enumerate(zip(measure.effects.each, measure.corrected, strict=True))
    ]
    raters = [
        [
            each.name,
            str(each.care.votes),
            _share(each.care.agreement.value),
            _share(each.care.repeats.value),
            f"{each.care.identical.same:.0f} of {each.care.identical.compared}",
            "; ".join(each.care.doubts) or "none",
        ]
        for each in found.raters
    ]
    heads = ["", "effect", "#value", "#chance", "#chance, all tests together"]
    rated = ["rater", "#votes", "#agrees with others", "#with themselves", "#twins that tied", "doubts"]
    return _section(
        "The figures",
        _details("Effects: preference in log-odds, criteria in points", table(heads, effects)),
        _details("Raters", table(rated, raters)),
    )


def _setup(report: Report) -> str:
    rows = [[name, text] for name, text in report.setup.items()]
    return _section("To make it again", _details("Versions, settings and seeds", table(["", ""], rows)))


def _details(title: str, inside: str) -> str:
    return f"<details><summary>{escape(title)}</summary>{inside}</details>"


def _interval(estimate: Estimate, scale: float, digits: int) -> str:
    if not estimate.known:
        return estimate.reason
    value, low, high = (scale * each for each in (estimate.value, estimate.low, estimate.high))
    return f"{value:.{digits}f} ({low:.{digits}f} to {high:.{digits}f})"


def _chance(chance: float) -> str:
    return "under 0.001" if chance < 0.001 else f"{chance:.3f}"


def _share(share: float) -> str:
    return f"{share:.0%}" if share == share else "–"
