"""Documents that stages before fetch took out: copies, those of evaluation sets and of too frequent concepts."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow.compute as pc

from pipelines.frame import partitions, tables
from pipelines.frame.storage import Workspace
from pipelines.frame.stores.locations import is_local
from schemas.recipe import Recipe
from schemas.statuses import DropReason, DuplicateKind
from schemas.tables import BALANCE, DOCUMENTS, TEXT_DUPLICATES, Table

_BOUNDS: dict[str, str] = {
    DropReason.BENCHMARK: "shares no n-gram",
    DropReason.BALANCE: "a draw below the probability",
}


@dataclass(frozen=True)
class TakenOut:
    """Why a document takes no further part: the reason, and what was found."""

    reason: str
    found: str


def taken_out(
    workspace: Workspace, partition: int, by: Sequence[Table] = (TEXT_DUPLICATES, BALANCE)
) -> dict[str, TakenOut]:
    """Documents of a partition by id."""
    found = {}
    copies = tables.read_table(workspace, TEXT_DUPLICATES, partition) if TEXT_DUPLICATES in by else None
    for row in copies.filter(pc.less(copies.column("position"), 0)).to_pylist() if copies is not None else ():
        found[row["doc_id"]] = _copy(row["kind"], row["survivor"])
    for row in tables.read_table(workspace, BALANCE, partition).to_pylist() if BALANCE in by else ():
        if row["draw"] >= row["probability"]:
            drawn = f"{row['draw']:.6g}, with a probability of {row['probability']:.6g}"
            found.setdefault(row["doc_id"], TakenOut(DropReason.BALANCE, drawn))
    return found


def in_earlier_slices(workspace: Workspace, partition: int) -> frozenset[str]:
    """Documents of earlier slices of the same file: what extract drops inside a slice is dropped across slices too."""
    slices = partitions.slices_of_file(workspace, partition)
    own = next(p for p in slices if p.partition == partition)
    return frozenset(
        doc_id for sibling in slices if sibling.start < own.start for doc_id in _doc_ids(workspace, sibling.partition)
    )


# Ids of slices that were read, by path and version: in a store the whole table has to come for this one column, and all
# later slices of a file ask for it.
_known: OrderedDict[tuple[str, str], list[str]] = OrderedDict()
_MOST_KNOWN = 64


def _doc_ids(workspace: Workspace, partition: int) -> list[str]:
    name = tables.name_of(DOCUMENTS, partition)
    version = None if is_local(workspace.root) else workspace.version(name)
    key = workspace.path(name), version or ""
    ids = _known.get(key)
    if ids is None:
        ids = tables.read_table(workspace, DOCUMENTS, partition, ["doc_id"]).column("doc_id").to_pylist()
        if version is not None:
            _known[key] = ids
            if len(_known) > _MOST_KNOWN:
                _known.popitem(last=False)
    return ids


def bound_of(reason: str) -> str:
    """What documents that go for a reason are held against: the same for all of them, as of every rule."""
    return _BOUNDS.get(reason, "the best copy")


def reasons(recipe: Recipe) -> list[str]:
    """Reasons that a recipe can give, in the order in which they are looked for."""
    text = recipe.dedup.text
    kinds = {
        DuplicateKind.URL: text.url,
        DuplicateKind.EXACT: text.exact or text.near,
        DuplicateKind.NEAR: text.near,
        DuplicateKind.IMAGE_SET: text.image_sets,
    }
    return [
        *([DropReason.BENCHMARK.value] if any(benchmark.texts for benchmark in recipe.decontaminate) else []),
        *(f"{DropReason.DUPLICATE}.{kind}" for kind, wanted in kinds.items() if wanted),
        *([DropReason.BALANCE.value] if recipe.balance else []),
    ]


def _copy(kind: str, survivor: str | None) -> TakenOut:
    if kind == DuplicateKind.BENCHMARK:
        return TakenOut(DropReason.BENCHMARK, survivor or "")
    return TakenOut(f"{DropReason.DUPLICATE}.{kind}", survivor or "")
