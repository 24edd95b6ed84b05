"""Disks of a few megabytes that can be filled or made read-only; only where the tests may mount them."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


class Disk:
    """A small disk in memory, mounted at `root`."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def fill(self) -> None:
        """Leave no room at all."""
        with (self.root / "ballast").open("wb", buffering=0) as ballast:
            try:
                while True:
                    ballast.write(bytes(4096))
            except OSError:
                return

    def free(self) -> None:
        """Give the room back."""
        (self.root / "ballast").unlink()

    @contextmanager
    def read_only(self) -> Iterator[None]:
        """Let nobody write meanwhile, as a failing disk is set by the system."""
        _run("mount", "--bind", str(self.root), str(self.root))
        _run("mount", "-o", "remount,bind,ro", str(self.root))
        try:
            yield
        finally:
            _run("umount", "--lazy", str(self.root))


def mounted(root: Path) -> Iterator[Disk]:
    """An empty disk of eight megabytes while a test runs, which is skipped where none can be had."""
    if sys.platform != "linux" or os.geteuid() or not shutil.which("mount"):
        pytest.skip("mounting a small disk needs root on Linux")
    root.mkdir()
    try:
        _run("mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(root))
    except subprocess.CalledProcessError as problem:
        pytest.skip(f"a small disk can't be mounted here: {problem.stderr.strip()}")
    yield Disk(root)
    _run("umount", "--lazy", str(root))


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
