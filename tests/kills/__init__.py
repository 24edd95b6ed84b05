"""Work killed at random moments, and what is left of it: `python -m tests.kills VICTIM FOLDER KILLS SEED`."""
