"""Fine-tuning: conversations become an adapter, in a process of its own.

The process is `python -m assistant.training JOBFOLDER`. This face is light: the heavy libraries are imported
once the input has been checked.
"""

from assistant.training.settings import TrainingSettings

__all__ = ["TrainingSettings"]
