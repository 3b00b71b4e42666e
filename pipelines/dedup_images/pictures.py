"""The pictures of a partition by identity: perceptual hash, or digest of the file where a hash says nothing."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Nodes
from filters.screening import screen, screen_columns
from filters.word_hashes import Hashes, mixed
from pipelines.frame import tables
from pipelines.frame.copies import in_earlier_slices, taken_out
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe
from schemas.statuses import ImageStatus
from schemas.tables import DOCUMENTS, IMAGES

# Half of a hash's bits are above the median of their coefficients, unless many are equal, as in flat pictures, simple
# gradients and blank pages: all of these have nearly the same hash and little else in common.
_FEWEST_BITS = 20
_COLUMNS = ("url", "url_hash", "status", "sha256", "phash", "width", "height")


@dataclass(frozen=True)
class Pictures:
    """Images of one partition that were got, one row each, and which documents show them."""

    urls: list[str]
    hashes: npt.NDArray[np.uint64]
    identity: Hashes
    files: Hashes
    pixels: npt.NDArray[np.int64]
    phashes: Hashes
    shown_row: npt.NDArray[np.int64]
    shown_in: npt.NDArray[np.int64]

    @property
    def high(self) -> Hashes:
        """First half of each image's url_hash."""
        return self.hashes[:, 0]

    @property
    def low(self) -> Hashes:
        """Second half of each image's url_hash."""
        return self.hashes[:, 1]


def pictures_of(workspace: Workspace, partition: int, recipe: Recipe, *, with_documents: bool = True) -> Pictures:
    """Read a partition's images, and its documents if they are to be counted."""
    table = tables.read_table(workspace, IMAGES, partition, _COLUMNS)
    table = table.filter(pc.equal(table.column("status"), ImageStatus.OK.value)).combine_chunks()
    urls = table.column("url").to_pylist()
    phashes = _numbers(table.column("phash").fill_null("0" * 16).to_pylist(), 1)[:, 0]
    files = _numbers([digest[:16] for digest in table.column("sha256").to_pylist()], 1)[:, 0]
    tells = np.bitwise_count(phashes) >= _FEWEST_BITS
    perceptual = recipe.dedup.images.perceptual_distance is not None
    nothing = np.zeros(0, np.int64)
    rows, documents = _shown(workspace, partition, recipe, urls) if with_documents else (nothing, nothing)
    return Pictures(
        urls=urls,
        hashes=_numbers(table.column("url_hash").to_pylist(), 2),
        identity=np.where(tells & perceptual, phashes, mixed(files)),
        files=files,
        pixels=np.asarray(table.column("width"), np.int64) * np.asarray(table.column("height"), np.int64),
        phashes=phashes,
        shown_row=rows,
        shown_in=documents,
    )


def _numbers(hexadecimal: list[str], each: int) -> npt.NDArray[np.uint64]:
    """Strings of 16 hex characters for each number as (n, each) numbers."""
    return np.frombuffer(bytes.fromhex("".join(hexadecimal)), ">u8").astype(np.uint64).reshape(-1, each)


def _shown(
    workspace: Workspace, partition: int, recipe: Recipe, urls: list[str]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """(row of image, document) for every image of every document that takes part."""
    row_of = {url: row for row, url in enumerate(urls)}
    gone = taken_out(workspace, partition).keys() | in_earlier_slices(workspace, partition)
    rows: list[int] = []
    documents: list[int] = []
    number = 0
    for batch in tables.read_batches(workspace, DOCUMENTS, partition, ("doc_id", *screen_columns(recipe))):
        passing = screen(Nodes(batch), recipe).passed & ~_is_in(batch.column("doc_id"), gone)
        for shown, passes in zip(batch.column("images").to_pylist(), passing.tolist(), strict=True):
            number += 1
            found = {row_of[url] for url in shown if url in row_of} if passes else set()
            rows += sorted(found)
            documents += [number] * len(found)
    return np.array(rows, np.int64), np.array(documents, np.int64)


def _is_in(ids: pa.Array, gone: Iterable[str]) -> npt.NDArray[np.bool_]:
    return np.asarray(pc.is_in(ids, pa.array(list(gone), pa.string())))
