import pytest

from assistant.errors import AssistantError
from assistant.training import TrainingSettings

SETTINGS = {
    "unknown": ({"epoch": 1}, "'epoch' is no setting of a training; there are epochs, learning_rate, "),
    "too few": (
        {"epochs": 0},
        "The setting 'epochs' is 0; it should be a whole number from 1 to 50. Correct it, ",
    ),
    "not whole": (
        {"rank": 1.5},
        "The setting 'rank' is 1.5; it should be a whole number from 1 to 256. Correct it, ",
    ),
    "a truth value": ({"seed": True}, "The setting 'seed' is True; it should be a whole number from 0 to "),
    "a text": (
        {"learning_rate": "x"},
        "The setting 'learning_rate' is 'x'; it should be a number from 1e-06 to 0.01.",
    ),
    "a number for a truth value": (
        {"four_bit": 1},
        "The setting 'four_bit' is 1; it should be true or false.",
    ),
    "a long name": ({"name": "x" * 81}, "The setting 'name' is 'xxx"),
}


@pytest.mark.parametrize(("values", "text"), SETTINGS.values(), ids=SETTINGS.keys())
def test_settings_out_of_range_are_refused(values, text):
    with pytest.raises(AssistantError) as problem:
        TrainingSettings.of(values)
    assert str(problem.value).startswith(text)


def test_settings_are_taken_over():
    assert TrainingSettings.of({"epochs": 3, "learning_rate": 1e-4}) == TrainingSettings(
        epochs=3, learning_rate=1e-4
    )
