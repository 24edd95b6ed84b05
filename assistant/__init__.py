"""Quartet's core and pages: four assistants of one company, side by side."""
