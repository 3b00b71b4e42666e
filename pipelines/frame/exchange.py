"""Exchanges: what crosses partitions, as packed arrays of numbers shuffled by the engine. Never documents or images.

An element costs tens of microseconds on any runner, so none is a single record: every source emits, for each key, one
element with all its arrays for that key. A key is a range of digests or the number of a partition. What comes out is
written to the workspace's scratch folder and read by the next exchange.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from pipelines.frame.engine import Engine
from pipelines.frame.storage import Workspace
from schemas.recipe import Recipe

Array = npt.NDArray[Any]
Keyed = tuple[int, bytes]
KEY_BYTES = 8 << 20  # what a key may bring together at once in a worker's memory
_SCRATCH = "scratch"

Emit = Callable[[int], Iterable[tuple[int, Sequence[Array]]]]
Merge = Callable[[int, list[list[Array]]], Iterable[tuple[int, Sequence[Array]]]]


def pack(arrays: Sequence[Array]) -> bytes:
    """One-dimensional arrays as bytes: their number, a type and a length for each, their contents."""
    head = "".join(f"{a.dtype.str},{len(a)};" for a in arrays).encode()
    return b"".join([len(head).to_bytes(4, "little"), head, *(np.ascontiguousarray(a).tobytes() for a in arrays)])


def unpack(packed: bytes) -> list[Array]:
    """What `pack` was given."""
    place = 4 + int.from_bytes(packed[:4], "little")
    arrays = []
    for described in packed[4:place].decode().split(";")[:-1]:
        kind, length = described.split(",")
        arrays.append(np.frombuffer(packed, np.dtype(kind), int(length), place))
        place += arrays[-1].nbytes
    return arrays


def columns(values: Sequence[Sequence[Array]]) -> list[Array]:
    """The first arrays of all values as one, the second ones as one, and so on."""
    return [np.concatenate(parts) for parts in zip(*values, strict=True)]


def by_key(keys: Array, arrays: Sequence[Array]) -> Iterator[tuple[int, list[Array]]]:
    """Arrays cut by the key of each position; order inside a key stays."""
    if not len(keys):
        return
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), ordered[1:] != ordered[:-1])))
    moved = [array[order] for array in arrays]
    for begin, end in zip(first.tolist(), [*first[1:].tolist(), len(order)], strict=True):
        yield int(ordered[begin]), [array[begin:end] for array in moved]


def ranges_for(total_bytes: int) -> int:
    """Into how many ranges digests are cut so that one fits into a worker's memory; at least one."""
    return max(1, -(-total_bytes // KEY_BYTES))


def range_of(digests: npt.NDArray[np.uint64], ranges: int) -> Array:
    """The range that each digest falls into, of equally long ones."""
    return ((digests >> np.uint64(32)) * np.uint64(ranges)) >> np.uint64(32)


class Scratch:
    """What exchanges of one stage leave for one another: arrays by step and key. Gone when the stage is done."""

    def __init__(self, root: str, stage: str) -> None:
        self._workspace, self._folder = Workspace(root), f"{_SCRATCH}/{stage}"

    def write(self, step: str, key: int, arrays: Sequence[Array]) -> None:
        """Store arrays; again with the same ones is harmless."""
        with self._workspace.staged(f"{self._folder}/{step}/{key}") as path:
            path.write_bytes(pack(arrays))

    def read(self, step: str, key: int) -> list[Array] | None:
        """Arrays of a key; None where nothing came to it."""
        try:
            with self._workspace.open(f"{self._folder}/{step}/{key}") as file:
                return unpack(file.read())
        except FileNotFoundError:
            return None

    def arrays(self, step: str, key: int) -> list[Array]:
        """Arrays of a key to which something came.

        Raises:
            FileNotFoundError: where nothing did.
        """
        found = self.read(step, key)
        if found is None:
            raise FileNotFoundError(f"{self._folder}/{step}/{key}")
        return found

    def keys(self, step: str) -> list[int]:
        """Keys to which something came, ascending."""
        return sorted(int(name.rsplit("/", 1)[-1]) for name in self._workspace.list(f"{self._folder}/{step}"))

    def size(self, step: str) -> int:
        """How much a step left, in bytes."""
        return self._workspace.bytes_in(f"{self._folder}/{step}")

    def clear(self) -> None:
        """Remove everything, and the folder of all scratches once it is empty."""
        self._workspace.remove_folder(self._folder)
        if not self._workspace.list(_SCRATCH):
            self._workspace.remove_folder(_SCRATCH)

    def clear_step(self, step: str) -> None:
        """Remove what one step left."""
        self._workspace.remove_folder(f"{self._folder}/{step}")


@dataclass(frozen=True)
class WholeJob:
    """A job as the exchanges of one stage see it: what travels to whoever emits and merges."""

    stage: ClassVar[str]
    root: str
    recipe: Recipe

    @property
    def scratch(self) -> Scratch:
        """What the steps leave for one another."""
        return Scratch(self.root, self.stage)

    @property
    def workspace(self) -> Workspace:
        """The job's workspace."""
        return Workspace(self.root)


@dataclass(frozen=True)
class Plan:
    """An exchange as engines run it: `emit` for every source, then each of `merges` for every key emitted to.

    `total_bytes` is about what is shuffled first.
    """

    name: str
    sources: Sequence[int]
    emit: "Emitting"
    merges: Sequence["Merging"]
    total_bytes: int


def exchange(
    engine: Engine, name: str, sources: Sequence[int], emit: Emit, *merges: Merge, total_bytes: int = 0
) -> None:
    """Run one. The last of `merges`, or `emit` where there is none, emits nothing: it writes to a Scratch.

    Raises:
        EngineFailed: see there.
    """
    if sources:
        engine.exchange(Plan(name, sources, Emitting(emit), [Merging(merge) for merge in merges], total_bytes))


@dataclass(frozen=True)
class Emitting:
    """What a source emits, packed."""

    emit: Emit

    def __call__(self, source: int) -> Iterator[Keyed]:
        """(key, packed arrays) pairs of a source."""
        for key, arrays in self.emit(source):
            yield int(key), pack(arrays)


@dataclass(frozen=True)
class Merging:
    """What a key's values come to, packed; the values come in any order."""

    merge: Merge

    def __call__(self, group: tuple[int, Iterable[bytes]]) -> Iterator[Keyed]:
        """(key, packed arrays) pairs of a key with all that came to it."""
        for key, arrays in self.merge(group[0], [unpack(packed) for packed in group[1]]):
            yield int(key), pack(arrays)
