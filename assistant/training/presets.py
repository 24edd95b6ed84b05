"""Three ways to train, in plain words, and every setting with one sentence of help.

It knows what people choose from. What the settings do is known by those who read them.
"""

from dataclasses import dataclass, replace

from assistant.training.settings import TrainingSettings


@dataclass(frozen=True)
class Preset:
    """A way to train that needs no more choices."""

    key: str
    name: str
    about: str
    settings: TrainingSettings


BALANCED = TrainingSettings()
PRESETS = (
    Preset(
        "quick",
        "Quick look",
        "From 60 conversations at most, in bold steps, to hear in minutes whether the voice comes through. "
        "A try, not for use.",
        replace(BALANCED, most_conversations=60, grounded_share=0.3, learning_rate=2e-3, general_questions=0),
    ),
    Preset(
        "balanced",
        "Balanced",
        "Every conversation once, of very many 10,000. What most companies want.",
        BALANCED,
    ),
    Preset(
        "thorough",
        "Thorough",
        "Up to three times through, gentler steps; ends by itself when it gets no better.",
        replace(BALANCED, epochs=3, learning_rate=5e-4, rank=16, alpha=32),
    ),
)


@dataclass(frozen=True)
class Field:
    """A setting as people see it."""

    key: str
    name: str
    about: str


FIELDS = (
    Field("epochs", "Epochs", "How often each conversation is read; more takes longer."),
    Field("learning_rate", "Learning rate", "How far each step goes; too bold forgets what the model knew."),
    Field("rank", "Rank", "How much room the adapter has; small suits few conversations."),
    Field("alpha", "Alpha", "How loud the adapter speaks while it learns; usually twice the rank."),
    Field("targets", "Layers", "Which layers may change; attention only is smaller and learns less."),
    Field("max_length", "Length", "Tokens an example may have; longer conversations are cut into windows."),
    Field(
        "grounded_share",
        "Replies with passages",
        "How many replies are also learned with passages shown, so that Combined reads them.",
    ),
    Field(
        "patience", "Patience", "Measurements without progress after which it ends early; 0 never ends early."
    ),
    Field("batch_tokens", "Batch", "Tokens learned at once; fewer need less memory."),
    Field(
        "most_conversations",
        "Most conversations",
        "Learn from so many at most, drawn by chance; 0 takes all, of very many 10,000.",
    ),
    Field(
        "general_questions",
        "Everyday questions",
        "How many are asked at the end, to see whether the voice turns up where it does not belong.",
    ),
    Field(
        "four_bit",
        "4-bit base",
        "Hold the base model in a quarter of the memory while the adapter learns, for small graphics cards.",
    ),
    Field("seed", "Seed", "The same seed and the same data give the same version again."),
    Field("name", "Name", "What the version will be called; empty for its number."),
)
