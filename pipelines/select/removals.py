"""What dedup and balance found of a partition, as failed rules: copies of documents, paragraphs and pictures."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Nodes
from filters.rules import Failure, Mask, as_json
from pipelines.frame import tables
from pipelines.frame.copies import TakenOut, bound_of, reasons, taken_out
from pipelines.frame.storage import Workspace
from pipelines.select.image_columns import FetchedImages
from schemas.recipe import Recipe
from schemas.statuses import DropReason, DuplicateKind
from schemas.tables import TEXT_DUPLICATES

_FIRST = as_json("the first in its document")


@dataclass(frozen=True)
class Removals:
    """Of one partition: documents that take no further part, and (document, position) of repeated paragraphs."""

    recipe: Recipe
    documents: dict[str, TakenOut]
    paragraphs: dict[str, dict[int, str | None]]

    def of_documents(self, ids: pa.Array) -> list[Failure]:
        """One for every reason that the recipe can give."""
        found = [self.documents.get(doc_id) for doc_id in ids.to_pylist()]
        everything = np.ones(len(found), np.bool_)
        return [
            Failure(
                reason,
                as_json(bound_of(reason)),
                np.array([why is not None and why.reason == reason for why in found], np.bool_),
                pa.array([why.found if why else None for why in found], pa.string()),
                everything,
            )
            for reason in reasons(self.recipe)
        ]

    def of_texts(self, ids: pa.Array, nodes: Nodes) -> list[Failure]:
        """Repeated paragraphs."""
        settings = self.recipe.dedup.text.paragraphs
        if settings is None:
            return []
        begins = np.searchsorted(nodes.document, np.arange(nodes.documents))
        failed = np.zeros(len(nodes.document), np.bool_)
        survivors: list[str | None] = [None] * len(failed)
        for document, doc_id in enumerate(ids.to_pylist()):
            for position, survivor in self.paragraphs.get(doc_id, {}).items():
                node = int(begins[document]) + position
                failed[node], survivors[node] = True, survivor
        bound = as_json(f"less than {settings.copies} {settings.counted} of its host")
        return [Failure(DropReason.PARAGRAPH, bound, failed, pa.array(survivors, pa.string()), nodes.is_text)]

    def of_images(self, nodes: Nodes, images: FetchedImages, fetched: Mask) -> list[Failure]:
        """Pictures that their document has before, and those of evaluation sets."""
        rows = images.rows(nodes.flat("images"))
        failures = []
        if self.recipe.dedup.images.in_document is not None:
            identity = "sha256" if self.recipe.dedup.images.in_document == "exact" else "best_copy"
            values = images.take(identity, rows)
            again = _seen_in_document(nodes, values, fetched)
            failures.append(Failure(DropReason.PICTURE_IN_DOCUMENT, _FIRST, again, values, fetched))
        if any(benchmark.images for benchmark in self.recipe.decontaminate):
            sets = images.take("benchmark", rows)
            failed = np.asarray(pc.is_valid(sets)) & fetched
            failures.append(Failure(DropReason.PICTURE_IN_BENCHMARK, as_json("in no set"), failed, sets, fetched))
        return failures


def read(workspace: Workspace, partition: int, recipe: Recipe) -> Removals:
    """What was found of a partition."""
    found = tables.read_table(workspace, TEXT_DUPLICATES, partition)
    repeated = found.filter(pc.equal(found.column("kind"), DuplicateKind.PARAGRAPH.value))
    paragraphs: dict[str, dict[int, str | None]] = {}
    for row in repeated.to_pylist():
        paragraphs.setdefault(row["doc_id"], {})[row["position"]] = row["survivor"]
    return Removals(recipe, taken_out(workspace, partition), paragraphs)


def _seen_in_document(nodes: Nodes, identity: pa.Array, among: Mask) -> npt.NDArray[np.bool_]:
    """Nodes of `among` whose picture an earlier one of the same document has."""
    code = np.asarray(identity.dictionary_encode().indices.fill_null(-1), np.int64)
    where = np.flatnonzero(among & (code >= 0))
    _, first = np.unique(nodes.document[where] * (len(code) + 1) + code[where], return_index=True)
    again = np.zeros(len(code), np.bool_)
    again[where] = True
    again[where[first]] = False
    return again
