"""Where the corpora of real crawls lie: the folder in CURATE_CORPORA, else ../shared/corpora beside the repository."""

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "corpora"


def corpora() -> Path:
    """The folder of the corpora; the test that asks for it is skipped where there is none."""
    folder = _folder()
    if not folder.is_dir():
        pytest.skip("no corpora here: set CURATE_CORPORA to their folder")
    return folder


def files_in(name: str) -> list[str]:
    """Names of the files in a folder of the corpora, to parametrize tests with; none where there are no corpora."""
    folder = _folder() / name
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".tsv") if folder.is_dir() else []


def _folder() -> Path:
    return Path(os.environ.get("CURATE_CORPORA") or _BESIDE)
