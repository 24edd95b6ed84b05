"""The brand's voice in brand.toml: kept whole, and refused with the line's name and the rule."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from assistant.brand import Brand, read_brand, write_brand
from assistant.errors import AssistantError

FULL = Brand(
    name='Fern "& Co"',
    tagline="Plants – by post",
    tone="Plain\nand warm",
    always=("Say hello",),
    never=("Guess", "Shout"),
    greeting="Hello!",
    sign_off="Bye \\ now",
    decline="Not in my notes",
    forbidden=("policy",),
    max_words=60,
    instructions="",
    sample_questions=("How much?",),
)


@pytest.mark.parametrize("brand", [FULL, Brand("A")], ids=["full", "name only"])
def test_a_brand_comes_back_as_it_was_written(tmp_path, brand):
    write_brand(tmp_path / "brand.toml", brand)
    assert read_brand(tmp_path / "brand.toml") == brand


def test_the_file_carries_its_version(tmp_path):
    write_brand(tmp_path / "brand.toml", FULL)
    assert tomllib.loads((tmp_path / "brand.toml").read_text(encoding="utf-8"))["version"] == 1


def test_a_short_file_of_a_person_is_enough(tmp_path):
    (tmp_path / "brand.toml").write_text('name = "Acme"\ngreeting = "Hi"\n')
    assert read_brand(tmp_path / "brand.toml") == Brand("Acme", greeting="Hi")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('name = "A', "is not valid TOML"),
        ('name = "A"\nversion = 2', "version is 2; this Quartet reads 1. Update Quartet"),
        ('greeting = "Hi"', '"name" is missing'),
        ('name = "  "', '"name" is missing'),
        ('name = "A"\ncolour = "red"', "'colour' is no field of a brand"),
        ('name = "A"\ngreeting = 3', "greeting is 3; it should be a text in quotes"),
        ('name = "A"\nnever = "shout"', "never is 'shout'; it should be a list of texts"),
        ('name = "A"\nnever = [1]', r"never is \[1\]; it should be a list of texts"),
        ('name = "A"\nmax_words = -1', "max_words is -1; it should be a whole number from 0"),
        ('name = "A"\nmax_words = 2.5', "max_words is 2.5; it should be a whole number from 0"),
        ('name = "A"\nmax_words = true', "max_words is True; it should be a whole number from 0"),
    ],
    ids=lambda value: value if "is" in value else None,
)
def test_a_wrong_line_is_refused_with_its_value_and_the_rule(tmp_path: Path, text, message):
    (tmp_path / "brand.toml").write_text(text)
    with pytest.raises(AssistantError, match=message) as caught:
        read_brand(tmp_path / "brand.toml")
    assert str(tmp_path / "brand.toml") in str(caught.value)


def test_a_missing_file_and_one_that_is_no_text_are_named(tmp_path):
    with pytest.raises(AssistantError, match=r"brand\.toml is missing"):
        read_brand(tmp_path / "brand.toml")
    (tmp_path / "brand.toml").write_bytes(b"name = \xff")
    with pytest.raises(AssistantError, match="is not valid TOML"):
        read_brand(tmp_path / "brand.toml")


def test_a_brand_without_a_name_is_not_written(tmp_path):
    with pytest.raises(AssistantError, match="name is empty"):
        write_brand(tmp_path / "brand.toml", replace(FULL, name=" "))
    assert not (tmp_path / "brand.toml").exists()
