"""What score and the stages behind it found of image nodes, by document and position: each page has its own."""

from collections.abc import Mapping, Set

import pyarrow as pa
import pyarrow.compute as pc

from filters.nodes import Nodes
from pipelines.frame import tables
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import ALIGNMENT, SCORES, SEMANTIC_DUPLICATES, TEXT_OVERLAP, Table

# Signals by the stage and the table that have them.
_FROM: Mapping[str, tuple[StageName, Table]] = {
    "clip_score": (StageName.SCORE, SCORES),
    "alignment": (StageName.BOOTSTRAP, ALIGNMENT),
    "text_overlap": (StageName.OCR, TEXT_OVERLAP),
    "semantic_similarity": (StageName.DEDUP_SEMANTIC, SEMANTIC_DUPLICATES),
}
SIGNALS = tuple(_FROM)


def stages_behind(signals: Set[str]) -> dict[StageName, str]:
    """Of which stages signals come, with the folder of each; only of those that are found here."""
    return {stage: table.name for name, (stage, table) in _FROM.items() if name in signals}


class NodeScores:
    """The scores of one partition, looked up by node. What was not read is null."""

    def __init__(self, found: Mapping[str, pa.Table] | None = None) -> None:
        self._found = found or {}
        self._keys = {
            name: _keys(table.column("doc_id"), table.column("position")) for name, table in self._found.items()
        }

    def of(self, signal: str, nodes: Nodes) -> pa.Array:
        """A signal of every node; null where it is a text, was not scored, or nothing was read."""
        if signal not in self._found:
            return pa.nulls(len(nodes.is_text), pa.float32())
        documents = nodes.column("doc_id").take(pa.array(nodes.document))
        rows = pc.index_in(_keys(documents, pa.array(nodes.position)), self._keys[signal])
        taken = self._found[signal].column(signal).take(rows)
        return taken.combine_chunks() if isinstance(taken, pa.ChunkedArray) else taken


def read_scores(workspace: Workspace, partition: int, recipe: Recipe, signals: Set[str]) -> NodeScores:
    """Those of a partition that are among the signals and that the recipe has measured."""
    measured = {
        StageName.SCORE: recipe.score,
        StageName.BOOTSTRAP: recipe.bootstrap,
        StageName.OCR: recipe.ocr or None,
        StageName.DEDUP_SEMANTIC: recipe.dedup.semantic,
    }
    return NodeScores({
        name: tables.read_table(workspace, table, partition, ["doc_id", "position", name])
        for name, (stage, table) in _FROM.items()
        if name in signals and measured[stage] is not None
    })  # fmt: skip


def _keys(documents: pa.ChunkedArray | pa.Array, positions: pa.ChunkedArray | pa.Array) -> pa.Array:
    keys = pc.binary_join_element_wise(documents, pc.cast(positions, pa.string()), ":")
    return keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
