"""Training as HTML: what there is to learn from, how a training goes, what it says, and how it ended.

It knows how they look. It does not know how a training is started or what it does.
"""

from collections.abc import Sequence
from html import escape

from assistant.adapters import Sample, SampleQuestion
from assistant.conversations.splits import SMALLEST_TO_SPLIT
from assistant.jobs import Job, Stop
from assistant.training.task import FEWEST
from assistant.ui.charts import loss_chart
from assistant.ui.course import Course
from assistant.ui.layout import notice
from assistant.ui.parts import action, duration, empty, facts, quiet, section, size
from assistant.ui.rendering import moment
from assistant.wording import counted

ADD = '<a href="conversations">Add more on Conversations</a>.'
STOPPING = {
    "keep": "Stopping: it saves what it has learned",
    "discard": "Stopping: what it has learned is thrown away",
}


def material_html(learned: int, held: int, there: int = 0) -> str:
    """What a training would learn from, of so many conversations there are, and what is missing."""
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
    if not held:
        few = (
            f"Below {SMALLEST_TO_SPLIT} conversations none is held out, so nothing measures the voice."
            if usable < SMALLEST_TO_SPLIT
            else "They are too much alike to hold any out, so nothing measures the voice."
        )
        return (
            quiet(f"It learns from {counted(learned, 'conversation')}.")
            + f'<div class="q-notice q-train-few">{few} {ADD}</div>'
        )
    measured = f"{held:,} more are held out to measure how well."
    if learned + held < there:
        drawn = f"{learned:,} of {there:,} conversations, drawn by chance"
        return quiet(
            f"It learns from {drawn}; {measured} Most conversations, in the expert panel, says how many."
        )
    return quiet(f"It learns from {counted(learned, 'conversation')}; {measured}")


def course_html(job: Job, course: Course, *, used: str, stopping: Stop) -> str:
    """The training to show: how far it is, or how it ended, with its losses and its answers."""
    head = _under_way(job, course, stopping) if job.active else _ending(job, course, used)
    chart = loss_chart(course.training, course.evaluation, course.steps)
    drawn = f'<div class="q-card q-train-chart">{chart}</div>' if chart else ""
    return head + drawn + samples_html(course.questions, course.samples)


def line_html(waiting: Sequence[Job]) -> str:
    """The trainings that wait for their turn, each with a way out."""
    rows = "".join(
        f"<li><span>Asked for {escape(moment(job.created))}</span>"
        f"{action('Take out', 'leave', job.key, label=f'Take training {place} out of the line')}</li>"
        for place, job in enumerate(waiting, start=1)
    )
    return f'{section("Next in line")}<ol class="q-train-line">{rows}</ol>' if rows else ""


def samples_html(questions: Sequence[SampleQuestion], samples: Sequence[Sample]) -> str:
    """What base model and adapter say to the same held-out questions, newest first, the rest folded."""
    if not questions or not samples:
        return ""
    shown = "".join(
        f"<article><h4>{escape(asked.question)}</h4>{_answers(asked, number, samples)}</article>"
        for number, asked in enumerate(questions)
    )
    return f'<div class="q-card q-train-samples"><h3>What it says</h3>{shown}</div>'


def _answers(asked: SampleQuestion, number: int, samples: Sequence[Sample]) -> str:
    first, *grown = samples
    latest = _answer(_after(grown[-1].step), grown[-1].answers[number]) if grown else ""
    between = "".join(_answer(_after(each.step), each.answers[number]) for each in reversed(grown[:-1]))
    folded = f"<details><summary>On the way</summary><dl>{between}</dl></details>" if between else ""
    return (
        f"<dl>{latest}{_answer('Base model', first.answers[number])}{_answer('Your team', asked.answer)}</dl>"
        f"{folded}"
    )


def _after(step: int) -> str:
    return f"After step {step:,}"


def _answer(who: str, said: str) -> str:
    return f"<div><dt>{escape(who)}</dt><dd>{escape(said) or '(nothing)'}</dd></div>"


def _under_way(job: Job, course: Course, stopping: Stop) -> str:
    stage = STOPPING.get(stopping) or _stage(job, course)
    done = f"Step {course.step:,} of {course.steps:,}" if course.steps else "Not at the first step yet"
    left = "working it out" if course.seconds_left is None else duration(course.seconds_left)
    speed = f"{course.tokens_per_second:,.0f} tokens a second" if course.tokens_per_second else "–"
    memory = size(course.memory) if course.memory else "–"
    since = f"Since {moment(job.created)}. It goes on if you close this page."
    pairs = [("Progress", done), ("Time left", left), ("Speed", speed), ("Memory", memory)]
    return (
        f'{section("Training now")}<div class="q-card q-train-now" role="status"><h3>{escape(stage)}</h3>'
        f'<span class="q-meter q-parts-meter"><span style="width:{100 * course.fraction:.1f}%"></span></span>'
        f"{facts(pairs)}{_cuts(course)}"
        f'<p class="q-quiet q-train-since">{since}</p></div>'
    )


def _stage(job: Job, course: Course) -> str:
    if course.before:
        return f"Waiting for its turn: {counted(course.before, 'task')} before it"
    return course.stage or "Starting"


def _cuts(course: Course) -> str:
    """What was done to fit the length; nothing where all fitted."""
    counts, said = course.counts, []
    if counts.get("cut"):
        cut = counted(counts["cut"], "long conversation")
        said.append(f"{cut} became {counts['windows']:,} windows, so that every reply is learned.")
    if counts.get("dropped_turns"):
        said.append(f"{counts['dropped_turns']:,} earlier messages were left out to make room for passages.")
    if counts.get("dropped_examples"):
        said.append(f"{counts['dropped_examples']:,} replies are longer than the length allows: left out.")
    return quiet(" ".join(said), "q-train-cuts") if said else ""


def _ending(job: Job, course: Course, used: str) -> str:
    title = section("Last training", moment(job.created))
    version = int(course.adapter) if course.adapter.isdigit() else 0
    if job.status == "finished":
        return title + (
            '<div class="q-notice q-notice-good" role="status">'
            f"{_outcome(course, used)} {_improvement(course)} {_early(course)}{_time(course)}"
            '<a href="./">Compare them</a></div>'
        )
    if job.status == "stopped":
        if course.discarded:
            return title + notice("Stopped and thrown away. Earlier versions are as they were.")
        if version:
            kept = f"What it had learned is kept as version {version}, in use now."
        else:
            kept = (
                "It became no version yet, and can go on from there." if course.step else "Nothing was kept."
            )
        at = f" at step {course.step:,} of {course.steps:,}" if course.steps else ""
        return title + notice(f"Stopped{at}. {kept}")
    return title + notice(job.message, "problem")


def _early(course: Course) -> str:
    if course.best is None:
        return ""
    return f"It ended early: nothing was better than after step {course.best:,}, which was kept. "


def _time(course: Course) -> str:
    if course.took is None:
        return ""
    expected = f", estimated were {duration(course.estimated)}" if course.estimated else ""
    return f"It took {duration(course.took)}{expected}. "


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
