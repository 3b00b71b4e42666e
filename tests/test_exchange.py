"""Exchanges: what crosses partitions is the same in one wave or many, in a loop or by Beam, in any order of arrival."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from filters.word_hashes import mixed
from pipelines.frame import exchange as exchanges
from pipelines.frame.engine import Engine
from pipelines.frame.engines import spill
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.exchange import Array, Scratch, by_key, columns, exchange, pack, range_of, ranges_for, unpack

DTYPES = ("u1", "i1", "u2", "i4", "u4", "i8", "u8", "f4", "f8", "?")
SOURCES, RANGES = range(7), 5


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("length", [0, 1, 1000])
def test_arrays_of_every_type_come_out_as_they_went_in(dtype: str, length: int) -> None:
    bits = np.random.default_rng(length).integers(0, 256, length * 8, np.uint8).tobytes()
    array = np.frombuffer(bits, np.uint64).astype(dtype) if length else np.zeros(0, dtype)
    (back,) = unpack(pack([array]))
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


def test_many_arrays_of_different_lengths_come_out_in_their_order() -> None:
    arrays = [np.arange(n).astype(dtype) for n, dtype in enumerate(DTYPES)]
    sliced = np.arange(20)[::3]
    back = unpack(pack([*arrays, sliced]))
    assert [(a.dtype, a.tolist()) for a in back] == [(a.dtype, a.tolist()) for a in [*arrays, sliced]]
    assert unpack(pack([])) == []


def test_arrays_are_cut_by_key_and_keep_their_order_inside_one() -> None:
    keys = np.array([3, 1, 3, 0, 1, 3], np.uint64)
    found = {key: [a.tolist() for a in arrays] for key, arrays in by_key(keys, [np.arange(6), np.arange(6) * 10])}
    assert found == {0: [[3], [30]], 1: [[1, 4], [10, 40]], 3: [[0, 2, 5], [0, 20, 50]]}
    assert list(by_key(keys[:0], [np.zeros(0)])) == []


def test_every_digest_falls_into_one_range_and_order_is_kept() -> None:
    digests = np.sort(np.random.default_rng(0).integers(0, 1 << 64, 10_000, np.uint64))
    digests = np.concatenate((np.zeros(1, np.uint64), digests, np.full(1, (1 << 64) - 1, np.uint64)))
    for ranges in (1, 7, 4096):
        found = range_of(digests, ranges)
        assert (found[0], found[-1]) == (0, ranges - 1)
        assert (np.diff(found.astype(np.int64)) >= 0).all()
    assert ranges_for(0) == 1
    assert ranges_for(3 * exchanges.KEY_BYTES + 1) == 4


@dataclass(frozen=True)
class EmitNumbers:
    """Of each source two thousand numbers, many of them also in other sources."""

    def __call__(self, source: int) -> Iterator[tuple[int, list[Array]]]:
        numbers = np.random.default_rng(source).integers(0, 3000, 2000).astype(np.uint64)
        yield from by_key(range_of(mixed(numbers), RANGES), [numbers, np.full(len(numbers), source, np.uint32)])


@dataclass(frozen=True)
class CountNumbers:
    """To each source's home how often its numbers occur in all of them."""

    def __call__(self, key: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        numbers, sources = columns(values)
        _, index, counts = np.unique(numbers, return_inverse=True, return_counts=True)
        yield from by_key(sources, [numbers, counts[index]])


@dataclass(frozen=True)
class KeepNumbers:
    scratch: Scratch

    def __call__(self, source: int, values: list[list[Array]]) -> Iterator[tuple[int, list[Array]]]:
        self.scratch.write("counts", source, columns(values))
        yield from ()


def counted(root: Path, engine: Engine, total_bytes: int = 0) -> list[list[tuple[int, int]]]:
    """What an exchange leaves at each source, sorted."""
    scratch = Scratch(str(root), "test")
    steps = EmitNumbers(), CountNumbers(), KeepNumbers(scratch)
    exchange(engine, "numbers", list(SOURCES), *steps, total_bytes=total_bytes)
    assert scratch.keys("counts") == list(SOURCES)
    read = [scratch.arrays("counts", source) for source in SOURCES]
    return [sorted(zip(numbers.tolist(), counts.tolist(), strict=True)) for numbers, counts in read]


@pytest.fixture(scope="module")
def expected(tmp_path_factory: pytest.TempPathFactory) -> list[list[tuple[int, int]]]:
    found = counted(tmp_path_factory.mktemp("expected"), LocalEngine(1))
    everything = np.concatenate([np.random.default_rng(s).integers(0, 3000, 2000) for s in SOURCES])
    assert [n for some in found for _, n in some if n > len(SOURCES)], "no number occurs often"
    assert sum(len(some) for some in found) == len(everything)
    assert dict(found[0])[int(everything[0])] == int((everything == everything[0]).sum())
    return found


@pytest.mark.parametrize("buckets", [2, 5, 9])
def test_in_many_buckets_the_same_comes_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, expected: list[list[tuple[int, int]]], buckets: int
) -> None:
    monkeypatch.setattr(spill, "BUCKET_BYTES", 1000)
    assert counted(tmp_path, LocalEngine(1), 1000 * buckets) == expected


def test_a_shuffle_through_files_leaves_none_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    (tmp_path / "temporary").mkdir()
    counted(tmp_path, LocalEngine(1))
    assert list((tmp_path / "temporary").iterdir()) == []


def test_by_beam_the_same_comes_out(tmp_path: Path, expected: list[list[tuple[int, int]]]) -> None:
    assert counted(tmp_path, BeamEngine(("--runner=FnApiRunner",))) == expected


def test_an_exchange_without_sources_asks_no_engine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(BeamEngine, "_run")
    scratch = Scratch(str(tmp_path), "test")
    exchange(BeamEngine(()), "nothing", [], EmitNumbers(), CountNumbers(), KeepNumbers(scratch))
    assert scratch.keys("counts") == []


def test_a_merge_that_is_done_twice_leaves_what_once_leaves(tmp_path: Path) -> None:
    scratch = Scratch(str(tmp_path), "test")
    values = [[np.arange(5, dtype=np.uint64), np.ones(5)], [np.arange(2, dtype=np.uint64), np.zeros(2)]]
    for _ in range(2):
        assert list(KeepNumbers(scratch)(7, values)) == []
    assert [a.tolist() for a in scratch.arrays("counts", 7)] == [a.tolist() for a in columns(values)]
    assert scratch.size("counts") > 0
    scratch.clear_step("counts")
    assert (scratch.keys("counts"), scratch.read("counts", 7), scratch.size("counts")) == ([], None, 0)


def test_scratch_of_one_stage_is_cleared_and_that_of_another_stays(tmp_path: Path) -> None:
    one, other = Scratch(str(tmp_path), "one"), Scratch(str(tmp_path), "other")
    for scratch in (one, other):
        scratch.write("step", 0, [np.arange(3)])
    one.clear()
    one.clear()
    assert (one.keys("step"), other.keys("step")) == ([], [0])
