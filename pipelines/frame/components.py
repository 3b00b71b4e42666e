"""Connected components of a graph that no machine holds, by rounds of large-star and small-star until nothing changes.

Kiveris et al., Connected Components in MapReduce and Beyond (SoCC 2014): labels go to the smallest node of a component
in a number of rounds that grows with the logarithm of its size. Plain propagation of the smallest label needs as many
rounds as the longest chain, and a calendar whose every page is a near-copy of the next day's is one chain.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from filters.word_hashes import Hashes, mixed
from pipelines.frame.engine import Engine
from pipelines.frame.exchange import Array, Scratch, by_key, columns, exchange, range_of, ranges_for

_EDGE_BYTES = 16
# Messages of a round: both ends of every edge.
_MESSAGES = 2


def components(engine: Engine, scratch: Scratch, edges: str, labels: str, ranges: int | None = None) -> None:
    """Read edges (two arrays of uint64 nodes) from a scratch step; write (node, smallest node of its component).

    What has no edge is not written; a component's smallest node is, with itself.
    """
    total = scratch.size(edges)
    ranges = ranges or ranges_for(total * _MESSAGES)
    contract = _Contract(scratch, edges, ranges), _Contracted(scratch, f"{labels}-0")
    exchange(engine, "contract", scratch.keys(edges), *contract, total_bytes=total)
    step, state = 0, None
    while (now := _checksum(scratch, f"{labels}-{step}")) != state:
        state = now
        before, after = f"{labels}-{step}", f"{labels}-{step + 1}"
        star = (_LargeStar(ranges), _SmallStar(ranges), _Distinct(scratch, after))
        exchange(engine, "stars", scratch.keys(before), _BothWays(scratch, before, ranges), *star,
                 total_bytes=scratch.size(before) * _MESSAGES)  # fmt: skip
        scratch.clear_step(before)
        step += 1
    exchange(engine, "labels", scratch.keys(f"{labels}-{step}"), _Label(scratch, f"{labels}-{step}", labels))
    scratch.clear_step(f"{labels}-{step}")


def stars(left: Hashes, right: Hashes) -> tuple[Hashes, Hashes]:
    """Edges (node, smallest node of its component) of a graph in memory, but for the smallest themselves."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    nodes, index = np.unique(np.concatenate((left, right)), return_inverse=True)
    ends = index.reshape(2, -1)
    graph = coo_array((np.ones(len(left), np.int8), (ends[0], ends[1])), shape=(len(nodes), len(nodes)))
    _, label = connected_components(graph, directed=False)
    smallest = np.full(int(label.max(initial=-1)) + 1, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(smallest, label, nodes)
    root = smallest[label]
    return nodes[nodes != root], root[nodes != root]


def _checksum(scratch: Scratch, step: str) -> tuple[int, int]:
    """Says whether two steps hold the same edges, whatever their order."""
    count, total = 0, 0
    for key in scratch.keys(step):
        left, right = scratch.arrays(step, key)
        count += len(left)
        total += int(mixed(mixed(left) + right).sum())
    return count, total % (1 << 64)


def _keyed(ranges: int, nodes: Hashes, others: Hashes) -> Iterator[tuple[int, list[Array]]]:
    keys = range_of(mixed(nodes), ranges)
    yield from by_key(keys, [nodes, others])


def _smallest(nodes: Hashes, others: Hashes) -> tuple[Hashes, Hashes, Hashes]:
    """Sorted by node, with the smallest of each node's neighbours and itself, repeated for each neighbour."""
    order = np.lexsort((others, nodes))
    nodes, others = nodes[order], others[order]
    first = np.flatnonzero(np.concatenate((np.ones(1, np.bool_), nodes[1:] != nodes[:-1])))
    least = np.minimum(nodes[first], others[first])
    return nodes, others, np.repeat(least, np.diff(np.append(first, len(nodes))))


@dataclass(frozen=True)
class _Contract:
    """Stars of what one source holds, by node: nothing of the graph is lost, most of its edges are."""

    scratch: Scratch
    step: str
    ranges: int

    def __call__(self, source: int) -> Iterator[tuple[int, list[Array]]]:
        left, right = self.scratch.arrays(self.step, source)
        yield from _keyed(self.ranges, *stars(left, right))


@dataclass(frozen=True)
class _Contracted:
    scratch: Scratch
    step: str

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.scratch.write(self.step, key, stars(*columns(values)))
        yield from ()


@dataclass(frozen=True)
class _BothWays:
    """Every edge by each of its ends, what lies at one key contracted before."""

    scratch: Scratch
    step: str
    ranges: int

    def __call__(self, source: int) -> Iterator[tuple[int, list[Array]]]:
        left, right = stars(*self.scratch.arrays(self.step, source))
        yield from _keyed(self.ranges, np.concatenate((left, right)), np.concatenate((right, left)))


@dataclass(frozen=True)
class _LargeStar:
    """A node's larger neighbours go to the smallest of it and its neighbours; keyed by the larger end."""

    ranges: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        nodes, others, least = _smallest(*columns(values))
        larger = others > nodes
        yield from _keyed(self.ranges, others[larger], least[larger])


@dataclass(frozen=True)
class _SmallStar:
    """A node and its smaller neighbours go to the smallest of these."""

    ranges: int

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        nodes, others, least = _smallest(*columns(values))
        ends, roots = np.concatenate((others, nodes)), np.concatenate((least, least))
        apart = ends != roots
        yield from _keyed(self.ranges, ends[apart], roots[apart])


@dataclass(frozen=True)
class _Distinct:
    scratch: Scratch
    step: str

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        distinct = np.unique(np.stack(columns(values)), axis=1)
        self.scratch.write(self.step, key, list(distinct))
        yield from ()


@dataclass(frozen=True)
class _Label:
    """The final stars, each smallest node with itself."""

    scratch: Scratch
    before: str
    step: str

    def __call__(self, source: int) -> Iterator[tuple[int, Sequence[Array]]]:
        left, right = self.scratch.arrays(self.before, source)
        roots = np.unique(right)
        self.scratch.write(self.step, source, [np.concatenate((left, roots)), np.concatenate((right, roots))])
        yield from ()
