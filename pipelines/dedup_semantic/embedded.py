"""The distinct pictures of a partition with their embeddings, a few at a time."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.embeddings import Vectors
from pipelines.frame import tables
from pipelines.frame.storage import Workspace
from schemas.statuses import ImageStatus, ScoreStatus
from schemas.tables import IMAGES, SCORES

Hashes = npt.NDArray[np.uint64]

_ROWS = 4096


@dataclass(frozen=True)
class Embedded:
    """Pictures of one width of embeddings: `files` are digests of theirs, `rows` float16 and of unit length."""

    files: Hashes
    rows: npt.NDArray[np.float16]


@dataclass(frozen=True)
class Best:
    """Of the files of a partition, ascending, the best image each: its pixels and both halves of its url_hash."""

    files: Hashes
    pixels: npt.NDArray[np.int64]
    high: Hashes
    low: Hashes

    def places(self, files: Hashes) -> npt.NDArray[np.int64]:
        """Where files are found that are there."""
        return np.searchsorted(self.files, files)


def embedded(workspace: Workspace, partition: int) -> Iterator[Embedded]:
    """Pictures of a partition that have an embedding, each file once, in the order of scores."""
    seen = np.zeros(0, np.uint64)
    columns = ("sha256", "score_status", "image_embedding")
    for batch in tables.read_batches(workspace, SCORES, partition, columns, _ROWS):
        files, vectors = file_numbers(batch.column("sha256")), Vectors.of(batch.column("image_embedding"))
        ok = pc.equal(batch.column("score_status"), ScoreStatus.OK.value).to_numpy(zero_copy_only=False)
        fresh = np.flatnonzero(ok & vectors.usable & ~np.isin(files, seen))
        fresh = fresh[np.sort(np.unique(files[fresh], return_index=True)[1])]
        seen = np.concatenate((seen, files[fresh]))
        for width in np.unique(vectors.widths[fresh]).tolist():
            some = fresh[vectors.widths[fresh] == width]
            yield Embedded(files[some], vectors.rows(some))


def best_images(workspace: Workspace, partition: int) -> Best:
    """Of each file the image with the most pixels, then with the smallest url_hash."""
    table = tables.read_table(workspace, IMAGES, partition, ("url_hash", "status", "sha256", "width", "height"))
    table = table.filter(pc.equal(table.column("status"), ImageStatus.OK.value))
    files = file_numbers(table.column("sha256"))
    urls = _numbers("".join(table.column("url_hash").to_pylist())).reshape(-1, 2)
    pixels = np.asarray(table.column("width"), np.int64) * np.asarray(table.column("height"), np.int64)
    order = np.lexsort((urls[:, 1], urls[:, 0], -pixels, files))
    found, first = np.unique(files[order], return_index=True)
    best = order[first]
    return Best(found, pixels[best], urls[best, 0], urls[best, 1])


def file_numbers(sha256: pa.Array | pa.ChunkedArray) -> Hashes:
    """The first 64 bits of each digest."""
    return _numbers("".join(digest[:16] for digest in sha256.to_pylist()))


def _numbers(hexadecimal: str) -> Hashes:
    return np.frombuffer(bytes.fromhex(hexadecimal), ">u8").astype(np.uint64)
