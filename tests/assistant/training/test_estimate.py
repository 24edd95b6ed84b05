"""The estimate by hand, and the measurement it rests on with a real model."""

import json
from dataclasses import replace

import pytest

from assistant.adapters import read_report
from assistant.errors import AssistantError
from assistant.jobs import Jobs, read_log
from assistant.training import TrainingSettings
from assistant.training.estimate import Measurement, estimate, keep_measurement, read_measurement
from assistant.training.measuring import main, measure
from assistant.training.presets import FIELDS, PRESETS
from assistant.training.price import Price, read_price, write_price
from assistant.training.run import run

MEASURED = Measurement(
    tokens_per_second=100,
    evaluation_tokens_per_second=500,
    sample_seconds=2,
    general_seconds=10,
    start_seconds=20,
    conversation_seconds=0.1,
    lookup_seconds=0.5,
    conversation_tokens=50,
    reply_tokens=200,
    replies=2,
    peak_memory=900,
    free_memory=1000,
    trained=5,
    weights=1000,
    place="cpu, float32",
)
SETTINGS = TrainingSettings(epochs=2, grounded_share=0.5)


def test_an_estimate_adds_up_what_was_measured():
    found = estimate(MEASURED, SETTINGS, learned=10, held=2)
    # Each conversation has 50 tokens bare and one reply of 200 with passages; it is read twice.
    assert found.tokens == 2 * 10 * 250
    writing, training = 12 * (0.1 + 0.5), 5000 / 100
    evaluating = 7 * (4 * 125 / 500 + 2)  # six times and before; 4 held-out examples of 125 tokens
    assert found.seconds == pytest.approx(20 + writing + training + evaluating + 3 * 10)
    assert (found.share, found.memory) == (0.005, 900)
    assert found.scratch_seconds == pytest.approx(20 * 1000 * 1.5 / 100)
    assert found.scratch_memory == 16_000
    assert found.money(3.6) == pytest.approx(found.seconds / 1000)


LESS = {
    "no passages": ({"grounded_share": 0.0}, 2 * 10 * 50),
    "once": ({"epochs": 1}, 10 * 250),
    "no everyday questions": ({"general_questions": 0}, 5000),
}


@pytest.mark.parametrize(("values", "tokens"), LESS.values(), ids=LESS.keys())
def test_less_work_is_estimated_to_take_less(values, tokens):
    whole = estimate(MEASURED, SETTINGS, learned=10, held=2)
    found = estimate(MEASURED, replace(SETTINGS, **values), learned=10, held=2)
    assert found.tokens == tokens and found.seconds < whole.seconds


def test_without_documents_no_passages_are_reckoned_with():
    found = estimate(replace(MEASURED, reply_tokens=0), SETTINGS, learned=10, held=0)
    assert found.tokens == 1000 and found.seconds == pytest.approx(20 + 1 + 10 + 30)


@pytest.mark.parametrize(("free", "crowded"), [(1000, False), (999, True)], ids=["fits", "crowded"])
def test_what_takes_more_than_nine_tenths_of_the_free_memory_is_crowded(free, crowded):
    measured = replace(MEASURED, free_memory=free)
    assert estimate(measured, SETTINGS, learned=1, held=0).crowded is crowded


def test_a_measurement_is_kept_for_its_model_and_the_settings_it_depends_on(workspace, tmp_path):
    keep_measurement(workspace, tmp_path, SETTINGS, MEASURED)
    assert read_measurement(workspace, tmp_path, replace(SETTINGS, epochs=9, seed=3)) == MEASURED
    for other in ({"rank": 16}, {"batch_tokens": 512}, {"grounded_share": 0.0}, {"targets": "attention"}):
        assert read_measurement(workspace, tmp_path, replace(SETTINGS, **other)) is None
    (tmp_path / "model.safetensors").write_bytes(b"another")
    assert read_measurement(workspace, tmp_path, SETTINGS) is None


def test_a_measurement_of_another_shape_is_made_again(workspace, tmp_path):
    keep_measurement(workspace, tmp_path, SETTINGS, MEASURED)
    (path,) = (workspace.training / "measured").iterdir()
    path.write_text('{"tokens_per_second": 1}')
    assert read_measurement(workspace, tmp_path, SETTINGS) is None


def test_a_few_steps_are_measured_and_the_training_tells_what_it_took_beside_the_estimate(
    job, workspace, tiny_model_folder
):
    settings = TrainingSettings.of(json.loads((job / "job.json").read_text())["settings"])
    measure(job)
    found = read_measurement(workspace, tiny_model_folder, settings)
    assert read_log(job)[-1]["event"] == "finished"
    for value in (found.tokens_per_second, found.evaluation_tokens_per_second, found.start_seconds):
        assert value > 0
    assert found.peak_memory > 1_000_000 and found.free_memory > 0
    assert 0 < found.trained < found.weights and found.reply_tokens == 0 and found.replies == 1
    expected = estimate(found, settings, learned=36, held=4)
    values = json.loads((job / "job.json").read_text())
    told = {"seconds": expected.seconds, "memory": expected.memory}
    (job / "job.json").write_text(json.dumps(values | {"estimate": told}))
    run(job)
    last = read_log(job)[-1]
    assert last["estimated"] == expected.seconds and last["seconds"] > 0
    learned = next(event for event in read_log(job) if event["event"] == "examples")
    assert learned["tokens"] == pytest.approx(expected.tokens, rel=0.05)
    assert read_report(workspace.adapters / last["adapter"]).estimated_memory == expected.memory


def test_a_measurement_without_a_job_says_how_it_is_called(capsys):
    assert main([]) == 2
    assert "python -m assistant.training.measuring JOBFOLDER" in capsys.readouterr().err


def test_a_measurement_that_can_not_be_made_says_why(job, workspace):
    for path in workspace.conversations.iterdir():
        path.unlink()
    assert main([str(job)]) == 1
    assert "a training needs at least 8" in Jobs(job.parent).list()[0].message


def test_a_price_is_kept_and_written_for_people(workspace):
    assert read_price(workspace) == Price(0.0, "€")
    write_price(workspace, Price(2.5, "$"))
    assert read_price(workspace) == Price(2.5, "$")
    assert (Price().text(0.044), Price().text(1234.5)) == ("€0.04", "€1,234")


@pytest.mark.parametrize(
    ("price", "text"),
    [
        (Price(-1), "The price an hour is -1; it should be from 0 to 10,000."),
        (Price(1, ""), "The currency is ''; it should be a sign or code of one to four characters."),
    ],
    ids=["negative", "no currency"],
)
def test_a_price_that_is_none_is_refused(workspace, price, text):
    with pytest.raises(AssistantError) as problem:
        write_price(workspace, price)
    assert str(problem.value) == text


def test_a_damaged_price_is_named(workspace):
    write_price(workspace, Price(1))
    (workspace.training / "price.json").write_text("{}")
    with pytest.raises(AssistantError, match="holds no price"):
        read_price(workspace)


def test_presets_are_settings_in_range():
    for preset in PRESETS:
        assert TrainingSettings.of(vars(preset.settings)) == preset.settings


def test_each_preset_takes_longer_than_the_one_before_also_where_all_learn_from_as_many():
    quick, balanced, thorough = (
        estimate(MEASURED, preset.settings, learned=30, held=4).seconds for preset in PRESETS
    )
    assert quick < balanced < thorough


def test_every_field_has_one_sentence_of_help_and_is_a_setting():
    for field in FIELDS:
        assert hasattr(TrainingSettings(), field.key)
        assert field.about.endswith(".") and field.about.count(".") == 1
