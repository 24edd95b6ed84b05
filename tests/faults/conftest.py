"""A company to strike, made once and copied, and a small disk."""

import shutil
from pathlib import Path

import pytest

from assistant.workspace import Workspace
from tests.faults.company import make_company
from tests.faults.disks import Disk, mounted


@pytest.fixture(scope="session")
def whole_company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_company(tmp_path_factory.mktemp("whole"))


@pytest.fixture
def company(whole_company: Path, tmp_path: Path) -> Workspace:
    """The company, to be struck."""
    return Workspace(shutil.copytree(whole_company, tmp_path / "companies" / "acme"))


@pytest.fixture
def disk(tmp_path: Path):
    """An empty disk of eight megabytes."""
    yield from mounted(tmp_path / "disk")


@pytest.fixture
def disk_company(disk: Disk, whole_company: Path) -> Workspace:
    """The company on a small disk."""
    return Workspace(shutil.copytree(whole_company, disk.root / "acme"))
