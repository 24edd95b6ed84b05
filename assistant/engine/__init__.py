"""The engine: one resident base model that streams many rows at once, each with its own adapter or none."""

from assistant.engine.local import LocalEngine

__all__ = ["LocalEngine"]
