"""A model server as it is named: what can't be right is refused before anything is sent."""

import pytest

from assistant.endpoint import Endpoint
from assistant.errors import AssistantError

WRONG = {
    "no scheme": (
        "gpu:8000/v1",
        "m",
        "",
        "--endpoint 'gpu:8000/v1' is no address of a model server. Write it with",
    ),
    "no host": ("http:///v1", "m", "", "such as http://127.0.0.1:8000/v1."),
    "file": ("file:///etc/passwd", "m", "", "is no address of a model server"),
    "password": ("https://me:pw@gpu/v1", "m", "", "The address of the model server gpu holds a password"),
    "no model": (
        "http://gpu/v1",
        "",
        "",
        "--endpoint http://gpu/v1 needs the model's name there. Add --endpoint-model",
    ),
    "key": (
        "http://gpu/v1",
        "m",
        "sk\nmore",
        "The key in QUARTET_ENDPOINT_KEY holds a line break or a letter",
    ),
    "key's letters": ("http://gpu/v1", "m", "schlüssel", "Set it again."),
}


@pytest.mark.parametrize(("url", "model", "key", "text"), WRONG.values(), ids=WRONG)
def test_what_cant_be_right_is_refused(url, model, key, text):
    with pytest.raises(AssistantError) as caught:
        Endpoint(url, model, key=key)
    assert text in str(caught.value)
    assert "pw" not in str(caught.value).replace("password", "") and "sk" not in str(caught.value)
