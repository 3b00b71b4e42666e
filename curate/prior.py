"""Trains a prior on alignment from a job: which documents are high, which low, and what the classifier is worth."""

import contextlib
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from curate.errors import UserError
from curate.job import check_tables, read_recipe_of
from filters import prior
from filters.prior import Figures
from filters.word_hashes import mixed, words_of
from pipelines.frame import ledger, partitions, tables
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import ALIGNMENT, DOCUMENTS, SCORES, Table

_COLUMNS = ("doc_id", "url", "title", "texts", "alts", "captions")
# With fewer sites, none can be held out: pages are, and the figures are those of further pages of these sites.
_LEAST_HOSTS = 20
_LEAST = 50
_TRAIN, _CALIBRATE, _TEST = range(3)
_PARTS = np.array([_TRAIN, _TRAIN, _TRAIN, _CALIBRATE, _TEST])  # of five
_SALT = np.uint64(0x6C62272E07BB0142)


@dataclass(frozen=True)
class Trained:
    """What was trained on, and what it is worth on other documents."""

    signal: str
    documents: int
    hosts: int
    by_host: bool
    high: float
    low: float
    trained: int
    figures: Figures


@dataclass(frozen=True, eq=False)
class _Documents:
    """Documents by partition: id, mean of the signal over their pictures, how many those are, and which part of three.

    Ordered by partition, and in it as documents are.
    """

    partition: npt.NDArray[np.int64]
    ids: npt.NDArray[np.str_]
    means: npt.NDArray[np.float64]
    images: npt.NDArray[np.int64]


def train_prior(workspace: Workspace, output: Path, share: float, recall: float, most: int) -> Trained:
    """Train on the top share against the bottom share of a job's documents, and measure on documents apart from them.

    No more than `most` documents are taken, by a hash of their ids; their texts lie in a scratch folder meanwhile.

    Raises:
        UserError: where the job has not been scored, or has too little to learn from.
    """
    recipe = read_recipe_of(workspace)
    table = ALIGNMENT if recipe.bootstrap is not None else SCORES
    check_tables(workspace, [table.name, DOCUMENTS.name])
    signal = "alignment" if table is ALIGNMENT else "clip_score"
    documents = _measured(workspace, recipe, table, signal, most)
    hosts = _hosts(workspace, documents)
    by_host = len(np.unique(hosts)) >= _LEAST_HOSTS
    parts = _PARTS[mixed((hosts if by_host else _hashes(documents.ids)) ^ _SALT) % np.uint64(len(_PARTS))]
    low, high = _bounds(documents.means[parts == _TRAIN], share)
    with tempfile.TemporaryDirectory(prefix="prior-") as folder:
        files = _Files(Path(folder))
        rows = files.write(workspace, documents, parts, low, high)
        try:
            prior.train(files.labelled, output)
            found = _figures(output, files, documents, rows, high, recall)
        except ValueError as error:
            raise UserError(f"{workspace.root}: too little to learn from: {error}") from error
    return Trained(signal, len(documents.ids), len(np.unique(hosts)), by_host, high, low, len(rows[_TRAIN]), found)


def _figures(
    output: Path, files: "_Files", documents: _Documents, rows: list[npt.NDArray[np.int64]], high: float, recall: float
) -> Figures:
    judged = [
        (prior.probabilities(output, files.lines(part)), documents.means[rows[part]] >= high)
        for part in (_CALIBRATE, _TEST)
    ]
    return prior.figures(judged[0], judged[1], documents.images[rows[_TEST]], recall)


class _Files:
    """Lines of documents by part, in a folder: texts of a hundred thousand documents are not held in memory."""

    def __init__(self, folder: Path) -> None:
        self._paths = [folder / f"{part}.txt" for part in (_TRAIN, _CALIBRATE, _TEST)]

    @property
    def labelled(self) -> Path:
        """What is trained on."""
        return self._paths[_TRAIN]

    def lines(self, part: int) -> Iterator[str]:
        """Lines of the documents of a part."""
        with open(self._paths[part], encoding="utf-8") as file:
            yield from (line.rstrip("\n") for line in file)

    def write(
        self, workspace: Workspace, documents: _Documents, parts: npt.NDArray[np.int64], low: float, high: float
    ) -> list[npt.NDArray[np.int64]]:
        """Write all lines; of each part the documents whose lines there are."""
        rows: list[list[int]] = [[], [], []]
        with contextlib.ExitStack() as stack:
            files = [stack.enter_context(open(path, "w", encoding="utf-8")) for path in self._paths]
            for row, line in _lines(workspace, documents):
                part, mean = int(parts[row]), documents.means[row]
                if part == _TRAIN and low < mean < high:
                    continue
                label = f"{prior.HIGH if mean >= high else prior.LOW} " if part == _TRAIN else ""
                files[part].write(f"{label}{line}\n")
                rows[part].append(row)
        return [np.array(some, np.int64) for some in rows]


def _measured(workspace: Workspace, recipe: Recipe, table: Table, signal: str, most: int) -> _Documents:
    """Documents with the signal, those with the lowest hashes."""
    stage = StageName.BOOTSTRAP if table is ALIGNMENT else StageName.SCORE
    done = set(ledger.partitions_in(workspace, stage))
    held: list[tuple[npt.NDArray[np.uint64], _Documents]] = []
    for number in (p.partition for p in partitions.load(workspace) if p.partition in done):
        found = _of_partition(workspace, table, signal, number)
        held = [_lowest([*held, (_hashes(found.ids), found)], most)]
    if not held or len(held[0][1].ids) < _LEAST:
        count = len(held[0][1].ids) if held else 0
        raise UserError(
            f"{workspace.root}: {count} documents have {signal}, and a prior needs {_LEAST}; "
            f"curate run with score in the recipe, as far as {stage}"
        )
    return held[0][1]


def _of_partition(workspace: Workspace, table: Table, signal: str, number: int) -> _Documents:
    found = tables.read_table(workspace, table, number, ["doc_id", signal])
    values = found.column(signal).to_numpy()
    finite = np.isfinite(values)
    ids, document = np.unique(found.column("doc_id").to_numpy().astype(str)[finite], return_inverse=True)
    images = np.bincount(document, minlength=len(ids)).astype(np.int64)
    means = np.bincount(document, values[finite], len(ids)) / np.maximum(images, 1)
    return _Documents(np.full(len(ids), number), ids, means, images)


def _lowest(
    parts: Iterable[tuple[npt.NDArray[np.uint64], _Documents]], most: int
) -> tuple[npt.NDArray[np.uint64], _Documents]:
    hashes, documents = zip(*parts, strict=True)
    together = np.concatenate(hashes)
    rows = np.sort(np.argsort(together, kind="stable")[:most])
    columns = ("partition", "ids", "means", "images")
    return together[rows], _Documents(
        *(np.concatenate([getattr(some, column) for some in documents])[rows] for column in columns)
    )


def _hashes(ids: npt.NDArray[np.str_]) -> npt.NDArray[np.uint64]:
    halves = np.array([(int(i[:16], 16), int(i[16:], 16)) for i in ids.tolist()], np.uint64).reshape(-1, 2)
    return mixed(mixed(halves[:, 0]) + halves[:, 1])


def _rows(
    workspace: Workspace, documents: _Documents, columns: tuple[str, ...]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Number and row of each document, in their order."""
    for number in np.unique(documents.partition).tolist():
        rows = np.flatnonzero(documents.partition == number)
        wanted = dict(zip(documents.ids[rows].tolist(), rows.tolist(), strict=True))
        for batch in tables.read_batches(workspace, DOCUMENTS, number, columns):
            for row in batch.to_pylist():
                place = wanted.pop(row["doc_id"], None)
                if place is not None:
                    yield place, row


def _hosts(workspace: Workspace, documents: _Documents) -> npt.NDArray[np.uint64]:
    hosts = [""] * len(documents.ids)
    for place, row in _rows(workspace, documents, ("doc_id", "url")):
        hosts[place] = urlsplit(str(row["url"])).netloc
    return words_of(hosts).whole()


def _lines(workspace: Workspace, documents: _Documents) -> Iterator[tuple[int, str]]:
    for place, row in _rows(workspace, documents, _COLUMNS):
        nodes = zip(*(row[name] for name in ("texts", "alts", "captions")), strict=True)
        yield place, prior.line_of_document(row["title"], nodes)


def _bounds(means: npt.NDArray[np.float64], share: float) -> tuple[float, float]:
    if len(means) < _LEAST:
        raise UserError(f"{len(means)} documents to train on are too few; a prior needs {_LEAST}")
    low, high = (float(bound) for bound in np.quantile(means, (share, 1 - share), method="nearest"))
    if low >= high:
        raise UserError(
            f"the lowest {share:.0%} and the highest {share:.0%} of the documents have the same value {low:g}"
        )
    return low, high
