"""What people choose before a training: a preset in plain words, the price of an hour, and the expert panel.

It knows components and the settings they stand for. It does not know what a training does with them.
"""

from dataclasses import asdict, dataclass
from typing import Any

import gradio as gr

from assistant.training import TrainingSettings
from assistant.training.machine import graphics_cards
from assistant.training.presets import BALANCED, FIELDS, PRESETS, Field

CURRENCIES = ["€", "$", "£", "CHF"]
LENGTHS = [512, 1024, 2048, 4096]
RANKS = [4, 8, 16, 32, 64]
LAYERS = [("All", "all"), ("Attention only", "attention")]


@dataclass(frozen=True)
class Choices:
    """The components that people choose with."""

    preset: gr.Radio
    fields: list[Any]
    """In the order of `FIELDS`."""
    hour: gr.Number
    currency: gr.Dropdown


def choices() -> Choices:
    """Draw the presets and, folded away, the expert panel."""
    preset = gr.Radio(
        [(f"{each.name}\n{each.about}", each.key) for each in PRESETS],
        value="balanced",
        show_label=False,
        container=False,
        elem_id="q-train-preset",
    )
    with gr.Accordion("Expert settings and price", open=False, elem_id="q-train-settings"):
        with gr.Row(elem_classes="q-train-price"):
            hour = gr.Number(
                0.0,
                minimum=0,
                label="Price of an hour",
                info="What an hour on this machine costs; 0 leaves money out.",
                elem_id="q-train-hour",
            )
            currency = gr.Dropdown(
                CURRENCIES,
                value="€",
                allow_custom_value=True,
                label="Currency",
                info="A sign or a code.",
                elem_id="q-train-currency",
            )
        with gr.Row(elem_classes="q-train-fields"):
            fields = [_component(field) for field in FIELDS]
    return Choices(preset, fields, hour, currency)


def values_of(settings: TrainingSettings) -> list[Any]:
    """What stands in the fields for these settings."""
    values = asdict(settings) | {"grounded_share": round(100 * settings.grounded_share)}
    return [values[field.key] for field in FIELDS]


def settings_of(values: tuple[Any, ...]) -> dict[str, Any]:
    """The settings that stand in the fields; whether they are in range is checked by `TrainingSettings`."""
    settings = {field.key: value for field, value in zip(FIELDS, values, strict=True)}
    share = settings["grounded_share"]
    settings["grounded_share"] = share / 100 if isinstance(share, int | float) else share
    settings["name"] = (settings["name"] or "").strip()
    return {
        key: int(value) if isinstance(value, float) and value.is_integer() and key not in FRACTIONS else value
        for key, value in settings.items()
    }


FRACTIONS = ("learning_rate", "grounded_share")
"""Settings that need not be whole numbers."""


def _component(field: Field) -> Any:
    start = dict(zip((each.key for each in FIELDS), values_of(BALANCED), strict=True))[field.key]
    about: dict[str, Any] = {"value": start, "label": field.name, "info": field.about, "min_width": 240}
    match field.key:
        case "epochs":
            return gr.Slider(1, 10, step=1, **about)
        case "grounded_share":
            return gr.Slider(0, 100, step=5, **about | {"label": f"{field.name}, in %"})
        case "patience":
            return gr.Slider(0, 10, step=1, **about)
        case "general_questions":
            return gr.Slider(0, 40, step=5, **about)
        case "rank":
            return gr.Radio(RANKS, **about)
        case "targets":
            return gr.Radio(LAYERS, **about)
        case "max_length" | "batch_tokens":
            return gr.Radio(LENGTHS, **about)
        case "four_bit":
            return gr.Checkbox(visible=bool(graphics_cards()), **about)
        case "name":
            return gr.Textbox(max_length=80, **about)
        case _:
            return gr.Number(**about)
