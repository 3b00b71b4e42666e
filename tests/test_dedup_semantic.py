"""The dedup_semantic stage over scores that a test writes: nearest better pictures, however the job is cut."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from filters.embeddings import Floats, unit
from filters.semantic import nearest_better
from pipelines.dedup_semantic import neighbours
from pipelines.dedup_semantic.stage import DedupSemantic
from pipelines.frame import fingerprints, ledger, partitions, tables
from pipelines.frame.engine import Engine
from pipelines.frame.engines import local
from pipelines.frame.engines.beam import BeamEngine
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import Partition
from pipelines.frame.run import plan_stage, run_stage
from pipelines.frame.stage import Job
from pipelines.frame.storage import Workspace
from schemas.ledger import LedgerRecord, Output
from schemas.recipe import Recipe
from schemas.statuses import StageName
from schemas.tables import IMAGES, SCORES, SEMANTIC_DUPLICATES, Table
from tests.scored_job import doc_id

BEAM = "--runner=apache_beam.runners.portability.fn_api_runner.FnApiRunner"
WIDTH = 48


@dataclass(frozen=True)
class Shown:
    """An image on a page: the file's name, its pixels, and its embedding (None: it has no score)."""

    file: str
    side: int
    embedding: Any
    url: str = ""

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.file.encode()).hexdigest()

    @property
    def image_row(self) -> dict[str, Any]:
        url = self.url or f"http://a.example/{self.file}"
        return {
            "key": "0", "url": url, "url_hash": hashlib.sha256(url.encode()).hexdigest()[:32], "status": "ok",
            "sha256": self.sha256, "width": self.side, "height": self.side, "format": "jpeg",
        }  # fmt: skip


def planted(groups: int, of_each: int, alone: int, seed: int = 0) -> list[Shown]:
    """Groups of pictures that are nearly the same, and some that are alone, in a drawn order."""
    rng = np.random.default_rng(seed)
    centres = unit(rng.normal(size=(groups + alone, WIDTH)))
    owner = rng.permutation([*np.repeat(np.arange(groups), of_each), *range(groups, groups + alone)])
    rows = unit(centres[owner] + rng.normal(size=(len(owner), WIDTH)) * 0.1 / np.sqrt(WIDTH))
    sides = rng.integers(100, 900, len(owner))
    return [
        Shown(f"{group}-{number}", int(side), row.astype(np.float16))
        for number, (group, side, row) in enumerate(zip(owner.tolist(), sides, rows, strict=True))
    ]


def a_job(root: Path, shown: Sequence[Shown], cuts: Sequence[int] = (), per_cluster: int = 8192) -> Job:
    workspace, bounds, planned = Workspace(str(root)), [0, *cuts, len(shown)], []
    for number, (start, end) in enumerate(pairwise(bounds)):
        planned.append(Partition(number, "/in/a.warc", start, end, len(shown), "d"))
        part = list(enumerate(shown))[start:end]
        images = {one.image_row["url"]: one.image_row for _, one in part}
        _write(workspace, StageName.FETCH, number, IMAGES, [images[url] for url in sorted(images)])
        _write(workspace, StageName.SCORE, number, SCORES, [_score(page, one) for page, one in part])
    partitions.save(workspace, planned)
    recipe = {"score": {"model": "any"}, "dedup": {"semantic": {"pictures_per_cluster": per_cluster}}}
    return Job(workspace, Recipe.model_validate(recipe), tuple(planned))


def _score(page: int, one: Shown) -> dict[str, Any]:
    row = {"doc_id": doc_id(page), "position": 1, "sha256": one.sha256}
    if one.embedding is None:
        return {**row, "score_status": "undecodable"}
    return {**row, "score_status": "ok", "clip_score": 0.2, "image_embedding": one.embedding}


def _write(workspace: Workspace, stage: str, number: int, table: Table, rows: list[dict[str, Any]]) -> None:
    name = tables.name_of(table, number)
    with workspace.staged(name) as path:
        writer = tables.TableWriter(table, path)
        writer.write_rows(rows)
        writer.close()
        output = Output(path=name, bytes=0, sha256=fingerprints.of_file(path), counts={"rows": len(rows)})
    ledger.write(workspace, LedgerRecord(stage=stage, partition=number, fingerprint="", outputs=[output]))


def run(job: Job, engine: Engine | None = None) -> list[dict[str, Any]]:
    """Rows of all partitions."""
    run_stage(plan_stage(DedupSemantic(), job), job, engine or LocalEngine(1))
    assert not [p for p in Path(job.workspace.root).glob("scratch/**/*") if p.is_file()], "scratch is left"
    found = [tables.read_table(job.workspace, SEMANTIC_DUPLICATES, p.partition).to_pylist() for p in job.partitions]
    return [row for part in found for row in part]


def expected(shown: Sequence[Shown]) -> tuple[Floats, list[str]]:
    """For each image by a plain comparison with all: the cosine with the nearest better one, and that one's hash."""
    rank = sorted(range(len(shown)), key=lambda i: (-(shown[i].side ** 2), shown[i].image_row["url_hash"]))
    similarity, nearest = nearest_better(unit(np.stack([shown[i].embedding for i in rank])))
    place = {i: at for at, i in enumerate(rank)}
    hashes = [shown[rank[nearest[place[i]]]].image_row["url_hash"] for i in range(len(shown))]
    return np.array([similarity[place[i]] for i in range(len(shown))]), hashes


def test_each_picture_has_its_nearest_better_one(tmp_path: Path) -> None:
    shown = planted(groups=30, of_each=4, alone=60)
    rows = run(a_job(tmp_path, shown, [50, 51, 120]))
    assert [(row["doc_id"], row["position"]) for row in rows] == [(doc_id(page), 1) for page in range(len(shown))]
    similarity, hashes = expected(shown)
    best = int(np.flatnonzero(np.isnan(similarity))[0])
    assert (rows[best]["semantic_similarity"], rows[best]["nearest"]) == (None, None)
    for number, row in enumerate(rows):
        if number != best:
            assert row["semantic_similarity"] == pytest.approx(similarity[number], abs=2e-4)
            assert row["nearest"] == hashes[number]


def test_of_pictures_that_mean_the_same_the_largest_stays(tmp_path: Path) -> None:
    shown = planted(groups=25, of_each=4, alone=40, seed=3)
    rows = run(a_job(tmp_path, shown, [70]))
    groups: dict[str, list[int]] = {}
    for number, one in enumerate(shown):
        groups.setdefault(one.file.split("-")[0], []).append(number)
    for members in groups.values():
        near = [number for number in members if (rows[number]["semantic_similarity"] or 0) > 0.9]
        largest = min(members, key=lambda n: (-shown[n].side, shown[n].image_row["url_hash"]))
        assert near == [number for number in members if number != largest]


def test_clusters_find_nearly_all_that_comparing_everything_finds(tmp_path: Path) -> None:
    shown = planted(groups=300, of_each=4, alone=1200, seed=1)
    rows = run(a_job(tmp_path, shown, [400, 1100], per_cluster=100))
    all_of_them = int(np.count_nonzero(np.nan_to_num(expected(shown)[0]) > 0.9))
    found = sum((row["semantic_similarity"] or 0) > 0.9 for row in rows)
    assert all_of_them == 900
    assert found >= 0.97 * all_of_them


def test_workers_engines_and_slices_make_no_difference(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = planted(groups=60, of_each=3, alone=200, seed=2)
    ways: Mapping[str, tuple[Sequence[int], Engine]] = {
        "one": ((), LocalEngine(1)), "cut": ((3, 200, 201), LocalEngine(1)), "beam": ((150,), BeamEngine([BEAM])),
    }  # fmt: skip
    found = {name: run(a_job(tmp_path / name, shown, cuts, 64), engine) for name, (cuts, engine) in ways.items()}
    monkeypatch.setattr(local, "BUCKET_BYTES", 0)  # nothing is done in this process
    monkeypatch.setattr(local, "_FEW", 0)
    found["two"] = run(a_job(tmp_path / "two", shown, [90, 91], 64), LocalEngine(2))
    assert found["cut"] == found["beam"] == found["two"] == found["one"]


def test_a_file_that_many_pages_show_is_one_picture_and_not_its_own_copy(tmp_path: Path) -> None:
    first, second = planted(groups=0, of_each=0, alone=2)
    again = replace(second, url="http://b.example/again")
    rows = run(a_job(tmp_path, [second, first, second, again, first], [2, 3]))
    larger, smaller = (first, second) if first.side > second.side else (second, first)
    cosine = float(unit(first.embedding[None])[0] @ unit(second.embedding[None])[0])
    for row, one in zip(rows, [second, first, second, second, first], strict=True):
        if one is larger:
            assert row["semantic_similarity"] is None
        else:
            assert row["semantic_similarity"] == pytest.approx(cosine, abs=2e-4)
            urls = {larger.image_row["url_hash"], again.image_row["url_hash"]}
            assert row["nearest"] in urls and smaller is one


def test_images_without_an_embedding_are_no_pictures(tmp_path: Path) -> None:
    shown = planted(groups=4, of_each=2, alone=3)
    broken = [
        Shown("undecodable", 900, None),
        Shown("nan", 900, np.full(WIDTH, np.nan, np.float16)),
        Shown("short", 900, np.ones(3, np.float16)),
    ]
    rows = run(a_job(tmp_path / "with", [*shown, *broken], [5]))
    assert [row["doc_id"] for row in rows] == [doc_id(page) for page in (*range(len(shown)), 12, 13)]
    assert [row["semantic_similarity"] for row in rows[-2:]] == [None, None]
    assert rows[:-2] == run(a_job(tmp_path / "without", shown, [5]))


@pytest.mark.parametrize("shown", [[], [Shown("only", 10, None)], planted(0, 0, 1)])
def test_nothing_to_compare_is_no_error(tmp_path: Path, shown: list[Shown]) -> None:
    rows = run(a_job(tmp_path, shown, per_cluster=16))
    assert [row["semantic_similarity"] for row in rows] == [None] * sum(one.embedding is not None for one in shown)


def test_a_cluster_that_is_everything_is_cut_to_fit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = planted(groups=1, of_each=3000, alone=200)
    compared: list[int] = []

    def watched(rows: Floats) -> Any:
        compared.append(len(rows))
        return nearest_better(rows)

    monkeypatch.setattr(neighbours, "nearest_better", watched)
    rows = run(a_job(tmp_path, shown, [1000], per_cluster=64))
    assert sum(compared) == len(shown)
    assert max(compared) < 8 * 64
    near = sum((row["semantic_similarity"] or 0) > 0.9 for row in rows)
    assert 3000 - len(compared) <= near < 3000


def test_in_which_order_records_arrive_makes_no_difference() -> None:
    rng = np.random.default_rng(0)
    one, other, better = (unit(rng.normal(size=(1, 8))).astype(np.float16) for _ in range(3))

    def record(file: int, pixels: int, partition: int, row: Any) -> list[Any]:
        same = np.array([file], np.uint64)
        return [same, np.array([pixels]), same, same, np.array([partition]), np.array([8]), row.ravel()]

    # Of one file two partitions have embeddings that differ, as batches of other sizes may round them.
    arrived = [record(1, 10, 0, one), record(1, 10, 1, other), record(2, 20, 0, better)]
    found = [dict(neighbours._Compare()(0, list(some))) for some in (arrived, arrived[::-1])]
    for partition in (0, 1):
        for first, second in zip(found[0][partition], found[1][partition], strict=True):
            np.testing.assert_array_equal(first, second)
    assert np.nanmax(found[0][0][1]) == pytest.approx(float((one @ better.T).item()), abs=1e-3)
