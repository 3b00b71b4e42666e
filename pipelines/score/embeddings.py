"""Embeddings of a partition's images or texts on local disk: as many as there are, in little memory."""

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import numpy.typing as npt

Embeddings = npt.NDArray[np.float32]


class EmbeddingFile:
    """Rows of float32 by key. A key is written once; keys cost some hundred bytes of memory each, embeddings none."""

    def __init__(self, folder: Path) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - closed with this object
        self._rows: dict[str | bytes, int] = {}
        self._width = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def __contains__(self, key: str | bytes) -> bool:
        return key in self._rows

    def add(self, keys: Sequence[str | bytes], embeddings: Embeddings) -> None:
        """Append embeddings, (n, width), under n new keys."""
        if not len(keys):
            return
        assert len(keys) == len(embeddings)
        self._width = embeddings.shape[1]
        self._file.seek(0, 2)
        self._file.write(np.ascontiguousarray(embeddings, np.float32).tobytes())
        self._rows.update(zip(keys, range(len(self._rows), len(self._rows) + len(keys)), strict=True))

    def take(self, keys: Iterable[str | bytes]) -> Mapping[str | bytes, npt.NDArray[np.float32]]:
        """Embeddings of keys that are there, (width,) each."""
        found = {}
        size = 4 * self._width
        for row, key in sorted((self._rows[key], key) for key in set(keys) if key in self._rows):
            self._file.seek(row * size)
            found[key] = np.frombuffer(self._file.read(size), np.float32)
        return found


def text_key(text: str) -> bytes:
    """The key of a text."""
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
