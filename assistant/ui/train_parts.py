"""Training as HTML: the version in use, what there is to learn from, how a training goes, and all versions.

It knows how they look. It does not know how a training is started or what it does.
"""

from collections.abc import Sequence
from html import escape

from assistant.adapters import Adapter, Lineage
from assistant.conversations.splits import SMALLEST_TO_SPLIT
from assistant.jobs import Job
from assistant.training.task import FEWEST
from assistant.ui.charts import loss_chart
from assistant.ui.course import Course
from assistant.ui.layout import notice
from assistant.ui.parts import action, duration, empty, facts, number, quiet, section, table
from assistant.ui.rendering import counted, moment

ADD = '<a href="conversations">Add more on Conversations</a>.'


def in_use_html(adapter: Adapter | None) -> str:
    """The version that the tuned lanes answer with."""
    if adapter is None or adapter.lineage is None:
        return section("In use") + quiet(
            "Fine-tuned and Combined wait for their first version. Train one; it is in use once it is ready."
        )
    lineage = adapter.lineage
    pairs = [
        ("Trained", moment(lineage.created)),
        ("Base model", lineage.base),
        ("Learned from", counted(lineage.conversations, "conversation")),
        ("Replies learned", f"{lineage.examples:,}"),
        ("With passages", f"{lineage.grounded:,}"),
        ("Loss", _losses(lineage)),
    ]
    return (
        f'{section("In use")}<div class="q-card q-train-use"><h3>{escape(lineage.name)}</h3>'
        f'<p class="q-quiet">Fine-tuned and Combined answer with it. <a href="./">Ask them on Compare</a></p>'
        f"{facts(pairs)}</div>"
    )


def material_html(learned: int, held: int, estimate: float | None) -> str:
    """What a training would learn from, what is missing, and how long it may take."""
    usable = learned + held
    if not usable:
        return empty(
            "Nothing to learn from yet",
            f"A training needs at least {FEWEST} conversations with good replies; some hundreds do well.",
            ("conversations", "Add conversations"),
        )
    if usable < FEWEST:
        missing = f"{counted(usable, 'conversation')} so far; a training needs at least {FEWEST}."
        return f'<div class="q-notice" role="status">{missing} {FEWEST - usable} to go. {ADD}</div>'
    took = f" About {duration(estimate)}, going by the version before." if estimate else ""
    if not held:
        few = f"Below {SMALLEST_TO_SPLIT} conversations none is held out, so nothing measures the voice."
        return (
            quiet(f"It learns from {counted(learned, 'conversation')}.{took}")
            + f'<div class="q-notice q-train-few">{few} {ADD}</div>'
        )
    measured = f"{held:,} more are held out to measure how well."
    return quiet(f"It learns from {counted(learned, 'conversation')}; {measured}{took}")


def versions_html(versions: Sequence[Adapter], used: str) -> str:
    """All versions, newest first, each with a way to use it."""
    if not versions:
        return ""
    rows = (_version_row(each, each.key == used) for each in versions)
    return section("Versions") + table(
        "q-train-versions", ("Version", "#Conversations", "#Loss", "-Use"), rows
    )


def course_html(job: Job, course: Course, *, used: str, stopping: bool) -> str:
    """The newest training: how far it is, or how it ended."""
    head = _under_way(job, course, stopping) if job.active else _ending(job, course, used)
    chart = loss_chart(course.training, course.evaluation, course.steps)
    return f'{head}<div class="q-card q-train-chart">{chart}</div>' if chart else head


def _under_way(job: Job, course: Course, stopping: bool) -> str:
    stage = "Stopping: it saves what it has learned" if stopping else course.stage or "Starting"
    done = f"Step {course.step:,} of {course.steps:,}" if course.steps else "Not at the first step yet"
    left = "working it out" if course.seconds_left is None else duration(course.seconds_left)
    speed = f"{course.tokens_per_second:,.0f} tokens a second" if course.tokens_per_second else "–"
    since = f"Since {moment(job.created)}. It goes on if you close this page."
    return (
        f'{section("Training now")}<div class="q-card q-train-now" role="status"><h3>{escape(stage)}</h3>'
        f'<span class="q-meter q-parts-meter"><span style="width:{100 * course.fraction:.1f}%"></span></span>'
        f"{facts([('Progress', done), ('Time left', left), ('Speed', speed)])}"
        f'<p class="q-quiet q-train-since">{since}</p></div>'
    )


def _ending(job: Job, course: Course, used: str) -> str:
    title = section("Last training", moment(job.created))
    version = int(course.adapter) if course.adapter.isdigit() else 0
    if job.status == "finished":
        return title + (
            '<div class="q-notice q-notice-good" role="status">'
            f"{_outcome(course, used)} {_improvement(course)} "
            '<a href="./">Compare them</a></div>'
        )
    if job.status == "stopped":
        if version:
            kept = f"What it had learned is kept as version {version}, in use now."
        else:
            kept = (
                "It became no version yet, and can go on from there." if course.step else "Nothing was kept."
            )
        at = f" at step {course.step:,} of {course.steps:,}" if course.steps else ""
        return title + notice(f"Stopped{at}. {kept}")
    return title + notice(job.message, "problem")


def _outcome(course: Course, used: str) -> str:
    if not course.adapter.isdigit():
        return "It has finished."
    version = int(course.adapter)
    return (
        f"The tuned lanes answer with version {version} now."
        if course.adapter == used
        else f"It became version {version}."
    )


def _improvement(course: Course) -> str:
    if course.first_loss is None or course.best_loss is None:
        return "Nothing was held out to measure it with; read some answers."
    change = (course.first_loss - course.best_loss) / course.first_loss
    fell = f"{100 * change:.0f} % lower" if change > 0 else "not lower"
    return (
        f"Its loss on held-out conversations is {fell} than the base model's: "
        f"{course.first_loss:.2f} before, {course.best_loss:.2f} after."
    )


def _version_row(adapter: Adapter, used: bool) -> str:
    lineage = adapter.lineage
    if lineage is None:
        text = f"Version {int(adapter.key)} can't be used. {adapter.problem}"
        return f'<td colspan="4" class="q-train-broken">{escape(text)}</td>'
    use = '<span class="q-tag q-train-used">In use</span>' if used else _use_button(adapter.key, lineage)
    own = lineage.name if lineage.name != f"Version {lineage.number}" else ""
    about = " · ".join(filter(None, (own, moment(lineage.created), _settings(lineage))))
    numbers = number(f"{lineage.conversations:,}") + number(_losses(lineage))
    return f"<td><b>Version {lineage.number}</b><p>{escape(about)}</p></td>{numbers}<td>{use}</td>"


def _use_button(key: str, lineage: Lineage) -> str:
    return action("Use this one", "use", key, label=f"Use version {lineage.number}")


def _losses(lineage: Lineage) -> str:
    if lineage.best_loss is None:
        return "not measured"
    before = f"{lineage.first_loss:.2f} → " if lineage.first_loss is not None else ""
    return f"{before}{lineage.best_loss:.2f}"


def _settings(lineage: Lineage) -> str:
    values = lineage.settings
    parts = [counted(values["epochs"], "epoch")] if isinstance(values.get("epochs"), int) else []
    return ", ".join(parts + ([f"rank {values['rank']}"] if "rank" in values else []))
