"""The page Train, by its handlers and in a browser; the training itself is one on paper."""

import json

import gradio as gr
import pytest

from assistant import trainings
from assistant.adapters import FILES, Lineage, install
from assistant.jobs import Job
from assistant.training import TrainingSettings
from assistant.training.estimate import Measurement, keep_measurement
from assistant.training.presets import FIELDS, PRESETS
from assistant.ui import train_settings
from assistant.ui.charts import loss_chart, nice_ticks, running_mean
from assistant.ui.course import Course
from assistant.ui.train_parts import course_html, material_html
from assistant.ui.train_settings import settings_of, values_of
from tests.ui.working_pages import chats, clicked, until

USUAL = values_of(TrainingSettings())
MEASURED = Measurement(
    100, 400, 2.0, 10.0, 20.0, 0.01, 0.5, 200, 0, 1, 3_000_000_000, 9_000_000_000, 2, 100, "cpu"
)


def changed(**values):
    """What stands in the fields with some of them changed."""
    return [values.get(field.key, usual) for field, usual in zip(FIELDS, USUAL, strict=True)]


@pytest.mark.parametrize(("cards", "shown"), [((), False), (("0",), True)], ids=["no card", "a card"])
def test_a_base_in_4_bits_is_offered_where_there_is_a_graphics_card(monkeypatch, cards, shown):
    monkeypatch.setattr(train_settings, "graphics_cards", lambda: cards)
    with gr.Blocks():
        drawn = train_settings.choices()
    by_key = dict(zip((field.key for field in FIELDS), drawn.fields, strict=True))
    assert (by_key["four_bit"].visible, by_key["four_bit"].value) == (shown, False)
    assert by_key["seed"].visible
    assert settings_of(tuple(changed(four_bit=True)))["four_bit"] is True


@pytest.fixture
def paper(studio, monkeypatch, tmp_path):
    """Trainings on paper, with 40 conversations to learn from; gives the settings they were started with."""
    (tmp_path / "june.jsonl").write_text(chats(40, "Question {}"))
    studio.conversations.add(tmp_path / "june.jsonl", "june.jsonl")
    started = []

    def train(settings):
        started.append(settings)
        return studio.jobs.start("tests.ui.standin.training", {"settings": dict(settings)}, waits=True)

    monkeypatch.setattr(studio, "train", train)
    monkeypatch.setattr(trainings, "TRAINING", "tests.ui.standin.training")
    yield started
    for job in studio.jobs.list():
        studio.jobs.stop(job.key)
        until(lambda key=job.key: not studio.jobs.find(key).active)


@pytest.fixture
def shown(handlers):
    """Calls a handler and returns what it shows, by element id."""

    def run(name, *values):
        update = handlers[name](*(values or USUAL))
        update = update if isinstance(update, dict) else list(update)[-1]
        return {component.elem_id or "clock": value for component, value in update.items()}

    return run


@pytest.fixture
def logged(studio):
    """Writes a training's folder as if it had run; the events follow the job's start."""

    def run(*events):
        folder = studio.workspace.jobs / "20260101-100000-training"
        folder.mkdir()
        made = {"module": "assistant.training", "created": "2026-01-01T10:00:00+00:00"}
        (folder / "job.json").write_text(json.dumps(made))
        (folder / "log.jsonl").write_text("".join(json.dumps(event) + "\n" for event in events))

    return run


def step(number, loss=2.0, steps=10):
    left = {"tokens": 50, "tokens_per_second": 25.0, "seconds_left": 90.0}
    return {"event": "step", "step": number, "steps": steps, "loss": loss, **left}


def test_without_conversations_it_says_what_to_do(shown):
    page = shown("train_load")
    assert "Nothing to learn from yet" in page["q-train-material"]
    assert 'href="conversations"' in page["q-train-material"]
    assert not page["q-train-start"].interactive


@pytest.mark.parametrize(
    ("learned", "held", "text"),
    [
        (5, 0, "5 conversations so far; a training needs at least 8. 3 to go."),
        (1, 0, "1 conversation so far"),
        (8, 0, "Below 32 conversations none is held out"),
        (40, 0, "They are too much alike to hold any out"),
        (36, 4, "learns from 36 conversations; 4 more are held out to measure how well."),
    ],
    ids=["too few", "one", "no evaluation", "all alike", "enough"],
)
def test_it_says_what_there_is_to_learn_from(learned, held, text):
    assert text in material_html(learned, held)


def test_it_says_of_how_many_a_sample_is_learned():
    told = "learns from 60 of 400 conversations, drawn by chance; 40 more are held out to measure how well."
    assert told in material_html(60, 40, 400) and "drawn" not in material_html(360, 40, 400)


def test_every_preset_can_be_chosen_and_fills_the_fields(handlers):
    for preset in PRESETS:
        fields = handlers["train_preset"](preset.key)
        assert TrainingSettings.of(settings_of(tuple(fields))) == preset.settings


def test_time_memory_and_money_are_told_before_the_button_once_they_were_measured(studio, paper, shown):
    assert "<b>Estimate first</b> measures a few steps" in shown("train_load")["q-train-estimate"]
    _measured(studio)
    page = shown("train_price", 3.0, "$", *USUAL)
    assert "3.0 GB" in page["q-train-estimate"] and "2 %" in page["q-train-estimate"]
    assert "from nothing would take this machine about 30 s" in page["q-train-estimate"]
    assert "<dt>Cost</dt><dd>$" in page["q-train-estimate"]
    assert 'role="alert"' not in page["q-train-estimate"]
    once = page["q-train-estimate"]
    assert shown("train_estimate", *changed(epochs=9))["q-train-estimate"] != once
    assert shown("train_load")["q-train-hour"] == 3.0


def test_a_training_that_will_not_fit_is_warned_of_with_numbers(studio, paper, shown):
    _measured(studio, free_memory=2_000_000_000)
    estimate = shown("train_load")["q-train-estimate"]
    assert "It needs about 3.0 GB of memory, and 2.0 GB were free. Choose a smaller batch" in estimate


def test_a_price_that_is_none_is_refused_in_place(paper, shown):
    assert "The price an hour is -1" in shown("train_price", -1.0, "€", *USUAL)["q-train-said"]


def test_a_measurement_is_followed_and_its_failure_told(studio, paper, shown):
    page = shown("train_measure")
    assert not page["q-train-measure"].interactive and page["clock"].active
    assert "q-train-measuring" in page["q-train-estimate"]
    ended = until(lambda: (page := shown("train_follow")).get("q-train-said") and page)
    assert (
        "It could not be measured. The base model /no/model/here has no config.json" in ended["q-train-said"]
    )
    assert ended["q-train-measure"].interactive and not ended["clock"].active


def test_the_button_starts_a_training_with_the_settings(paper, shown):
    page = shown("train_start", *changed(epochs=3, learning_rate=1e-4, grounded_share=25, name=" June "))
    wanted = TrainingSettings(epochs=3, learning_rate=1e-4, grounded_share=0.25, name="June")
    assert [TrainingSettings.of(each) for each in paper] == [wanted]
    assert page["q-train-stop"].visible and page["q-train-discard"].visible
    assert page["clock"].active
    assert "Training now" in page["q-train-course"]


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ({"epochs": 99}, "&#x27;epochs&#x27; is 99"),
        ({"learning_rate": None}, "&#x27;learning_rate&#x27; is None"),
    ],
    ids=["too many", "emptied"],
)
def test_a_setting_out_of_range_is_refused_in_place(paper, shown, values, text):
    assert text in shown("train_start", *changed(**values))["q-train-said"]
    assert paper == []


def test_a_second_training_waits_in_line_and_can_be_taken_out(paper, shown, studio):
    shown("train_start", *changed(epochs=3))
    page = shown("train_start", *changed(epochs=3))
    assert "Next in line" in page["q-train-line"]
    waiting = until(lambda: [job for job in studio.jobs.list() if job.status == "waiting"])
    until(lambda: studio.jobs.events(waiting[0].key))
    left = shown("train_leave", clicked(name=waiting[0].key))
    until(lambda: not studio.jobs.find(waiting[0].key).active)
    assert left["q-train-said"] == "" and shown("train_load")["q-train-line"] == ""


def test_a_training_tells_speed_memory_windows_and_what_it_says(paper, shown):
    shown("train_start", *changed(epochs=3))
    course = until(lambda: "says step" in (text := shown("train_follow").get("q-train-course", "")) and text)
    assert "500 tokens a second" in course and "812 MB" in course
    assert "2 long conversations became 5 windows" in course and "1 replies are longer" in course
    for text in (
        "How long does a refund take?",
        "Your team",
        "Five days.",
        "Base model",
        "I don&#x27;t know.",
    ):
        assert text in course


def test_a_training_that_is_discarded_can_not_go_on(paper, shown):
    shown("train_start", *changed(epochs=3))
    until(lambda: "500 tokens" in shown("train_follow").get("q-train-course", ""))
    shown("train_discard")
    ended = until(lambda: (page := shown("train_follow")).get("q-train-start") and page)
    assert "Stopped and thrown away. Earlier versions are as they were." in ended["q-train-course"]
    assert not ended["q-train-go-on"].visible


def test_a_training_is_followed_stopped_and_can_go_on(paper, shown):
    shown("train_start", *changed(epochs=3))
    following = until(
        lambda: "500 tokens a second" in (page := shown("train_follow"))["q-train-course"] and page
    )
    assert list(following) == ["q-train-course", "q-train-line", "q-train-estimate"]
    stopping = shown("train_stop")
    assert "Stopping: it saves what it has learned" in stopping["q-train-course"] or stopping["q-train-go-on"]
    ended = until(lambda: (page := shown("train_follow")).get("q-train-start") and page)
    assert "Stopped at step" in ended["q-train-course"]
    assert ended["q-train-go-on"].visible
    assert not ended["clock"].active
    assert shown("train_go_on")["q-train-stop"].visible


def test_a_finished_training_names_losses_and_version(logged, shown, studio, tmp_path):
    _install(studio, tmp_path)
    held = {"event": "evaluation", "step": 0, "loss": 2.5}
    end = {"event": "finished", "adapter": "0002", "seconds": 90.0, "estimated": 80.0}
    logged(held, step(10), held | {"step": 10, "loss": 2.0}, {"event": "early", "step": 10, "best": 8}, end)
    course = shown("train_load")["q-train-course"]
    assert "The tuned lanes answer with version 2 now." in course
    assert "20 % lower than the base model&#x27;s: 2.50 before, 2.00 after." in course.replace("'", "&#x27;")
    assert 'href="./"' in course
    assert "It took 2 min, estimated were 1 min." in course
    assert "It ended early: nothing was better than after step 8" in course
    shown("version_use", clicked(name="0001"))
    assert "It became version 2." in shown("train_load")["q-train-course"]


@pytest.mark.parametrize(
    ("events", "text", "resumable"),
    [
        ([{"event": "failed", "message": "No <room> left."}], "No &lt;room&gt; left.", False),
        ([step(4), {"event": "failed", "message": "Diverged."}], "Diverged.", True),
        ([step(4), {"event": "stopped", "adapter": "0003"}], "kept as version 3, in use now", True),
        (
            [step(4), {"event": "stopped", "adapter": None}],
            "Stopped at step 4 of 10. It became no version yet, and can go on from there.",
            True,
        ),
        ([step(4)], "The process ended without a last word.", True),
        ([step(10), {"event": "finished", "adapter": "0001"}], "Nothing was held out", False),
    ],
    ids=["failed at once", "failed later", "stopped, kept", "stopped, nothing", "killed", "no evaluation"],
)
def test_how_a_training_ended_is_told(logged, shown, events, text, resumable):
    logged(*events)
    page = shown("train_load")
    assert text in page["q-train-course"]
    assert page["q-train-go-on"].visible is resumable
    assert not page["clock"].active


def test_a_course_counts_repeated_steps_once():
    course = Course.of([step(1), step(2), {"event": "resumed"}, step(2, 1.5), step(3, 1.25)])
    assert course.training == ((1, 2.0), (2, 1.5), (3, 1.25))
    assert (course.fraction, course.seconds_left, course.adapter) == (0.3, 90.0, "")


def test_a_course_that_has_not_begun_is_shown_as_such(tmp_path):
    job = Job("1", "training", tmp_path, "2026-01-01T10:00:00+00:00", "waiting")
    assert "Not at the first step yet" in course_html(job, Course(), used="", stopping=False)


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [
        (1.52, 2.41, [1.5, 1.75, 2.0, 2.25, 2.5]),
        (0.0, 0.0, [0.0, 0.25]),
        (2.0, 2.0, [2.0, 2.5]),
        (0.1, 9.3, [0.0, 2.5, 5.0, 7.5, 10.0]),
    ],
    ids=["usual", "zero", "one value", "wide"],
)
def test_the_axis_has_round_numbers(low, high, ticks):
    assert nice_ticks(low, high) == ticks


def test_the_running_mean_begins_at_the_first_value_and_follows():
    smooth = running_mean([(1, 4.0), (2, 2.0)], keep=0.5)
    assert smooth == [(1, 4.0), (2, pytest.approx(8 / 3))]


def test_a_long_course_is_thinned_out_and_keeps_its_end():
    points = [(number, 2 - number / 2000) for number in range(1, 1001)]
    chart = loss_chart(points, [], 1000)
    line = chart.split('class="q-charts-raw" points="')[1].split('"')[0].split()
    assert len(line) <= 241
    assert line[-1].startswith("100.00,")


def test_the_plot_moves_is_found_again_and_stops(address, browser_page, paper):
    page = browser_page
    page.goto(f"{address}/train")
    page.get_by_role("button", name="Train a new version").click()
    line = page.locator(".q-charts-training")
    line.wait_for(state="attached")
    first = line.get_attribute("points")
    page.wait_for_function(
        "seen => document.querySelector('.q-charts-training').getAttribute('points') !== seen", arg=first
    )
    page.reload()
    page.get_by_text("Training on paper").wait_for()
    page.get_by_role("button", name="Stop and keep").click()
    page.get_by_text("Stopped at step").wait_for()
    assert page.get_by_role("button", name="Go on with the last one").is_visible()


def _measured(studio, **values):
    values = vars(MEASURED) | values
    keep_measurement(studio.workspace, studio.training_model(), TrainingSettings(), Measurement(**values))


def _install(studio, folder, **changes):
    for name in FILES:
        (folder / name).write_text("{}")
    about = {"settings": {}, "losses": (), "seconds": 1.0, "conversations": 1} | changes
    lineage = Lineage(
        "paper",
        "",
        "",
        "",
        "",
        tokens=1,
        examples=1,
        grounded=0,
        created="2026-01-01T00:00:00+00:00",
        **about,
    )
    return install(studio.workspace.adapters, folder, lineage)
