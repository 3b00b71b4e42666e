"""Connected components by rounds against networkx: any graph, any cut into sources, ranges and waves."""

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from filters.word_hashes import Hashes, mixed
from pipelines.frame import components as component_rounds
from pipelines.frame import exchange as exchanges
from pipelines.frame.components import components, stars
from pipelines.frame.engine import Engine
from pipelines.frame.engines import spill
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.exchange import Scratch

Edges = list[tuple[int, int]]


def random_edges(nodes: int, edges: int, seed: int = 0) -> Edges:
    """Edges between random 64-bit nodes."""
    rng = np.random.default_rng(seed)
    names = rng.integers(0, 1 << 64, nodes, np.uint64)
    return [(int(a), int(b)) for a, b in names[rng.integers(0, nodes, (edges, 2))] if a != b]


def a_path(length: int, seed: int = 1) -> Edges:
    """A path whose nodes are numbered at random: the hardest order for labels that travel along it."""
    names = mixed(np.arange(length, dtype=np.uint64) + np.uint64(seed << 32)).tolist()
    return list(pairwise(names))


def expected_labels(edges: Edges) -> dict[int, int]:
    """Each node with the smallest of its component, by networkx."""
    labelled = ((component, min(component)) for component in nx.connected_components(nx.Graph(edges)))
    return {node: smallest for component, smallest in labelled for node in component}


def put(scratch: Scratch, edges: Edges, sources: int = 1) -> None:
    """Store edges at random in so many sources."""
    shuffled = random.Random(0).sample(edges, len(edges))
    for source in range(sources):
        some = np.array(shuffled[source::sources], np.uint64).reshape(-1, 2)
        scratch.write("edges", source, [some[:, 0], some[:, 1]])


def labels_of(scratch: Scratch) -> dict[int, int]:
    """What was found; each node must have one label, wherever and however often it is written."""
    found: dict[int, int] = {}
    for key in scratch.keys("labels"):
        nodes, labels = scratch.arrays("labels", key)
        for node, label in zip(nodes.tolist(), labels.tolist(), strict=True):
            assert found.setdefault(node, label) == label
    return found


def run(
    root: Path, edges: Edges, ranges: int | None = None, sources: int = 1, engine: Engine = LocalEngine(1)  # noqa: B008
) -> dict[int, int]:  # fmt: skip
    scratch = Scratch(str(root), "test")
    put(scratch, edges, sources)
    components(engine, scratch, "edges", "labels", ranges)
    return labels_of(scratch)


@pytest.mark.parametrize(("ranges", "sources"), [(1, 1), (7, 1), (7, 5), (1, 12)])
def test_components_of_a_random_graph_are_those_of_networkx(tmp_path: Path, ranges: int, sources: int) -> None:
    edges = random_edges(130_000, 100_000)
    assert run(tmp_path, edges, ranges, sources) == expected_labels(edges)


@pytest.mark.parametrize("shape", ["random", "path", "stars", "cliques"])
def test_components_do_not_depend_on_how_many_buckets_a_round_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    shapes: dict[str, Edges] = {
        "random": random_edges(2000, 1700),
        "path": a_path(1000),
        "stars": [(hub, leaf) for hub in range(0, 1500, 60) for leaf in range(hub + 1, hub + 60)],
        "cliques": [(a, b) for base in range(0, 300, 10) for a in range(base, base + 10) for b in range(base, a)],
    }
    edges = shapes[shape]
    monkeypatch.setattr(spill, "BUCKET_BYTES", 10_000)
    assert run(tmp_path, edges, ranges=11, sources=4) == expected_labels(edges)


def test_a_path_of_ten_thousand_nodes_needs_few_rounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edges, rounds = a_path(10_000), []

    def counting(*arguments: object, **options: object) -> None:
        rounds.append(arguments[1])
        exchanges.exchange(*arguments, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(component_rounds, "exchange", counting)
    assert run(tmp_path, edges, ranges=7, sources=50) == expected_labels(edges)
    assert 2 <= rounds.count("stars") <= 20


def test_two_runs_leave_the_same_bytes_and_nothing_of_their_rounds(tmp_path: Path) -> None:
    written = []
    for name in ("one", "two"):
        run(tmp_path / name, random_edges(5000, 4000), ranges=5, sources=3)
        folder = tmp_path / name / "scratch" / "test"
        assert sorted(path.name for path in folder.iterdir()) == ["edges", "labels"]
        files = sorted(path for path in (folder / "labels").rglob("*") if path.is_file())
        written.append([(str(path.relative_to(folder)), path.read_bytes()) for path in files])
    assert written[0] == written[1]


def test_by_beam_the_same_components_come_out(tmp_path: Path) -> None:
    edges = random_edges(400, 300)
    by_beam = BeamEngine(("--runner=FnApiRunner",))
    assert run(tmp_path, edges, ranges=3, sources=2, engine=by_beam) == expected_labels(edges)


@pytest.mark.parametrize("edges", [[], [(5, 3)], [(3, 5), (5, 3), (3, 5)], [(0, (1 << 64) - 1)]])
def test_graphs_of_no_edge_or_one_are_no_special_case(tmp_path: Path, edges: Edges) -> None:
    assert run(tmp_path, edges) == expected_labels(edges)


def sorted_pairs(pairs: tuple[Hashes, Hashes]) -> Sequence[tuple[int, int]]:
    return sorted(zip(pairs[0].tolist(), pairs[1].tolist(), strict=True))


def test_stars_of_a_small_graph() -> None:
    left, right = np.array([4, 9, 7, 1], np.uint64), np.array([9, 2, 8, 1], np.uint64)
    assert sorted_pairs(stars(left, right)) == [(4, 2), (8, 7), (9, 2)]
    assert sorted_pairs(stars(left[:0], right[:0])) == []
