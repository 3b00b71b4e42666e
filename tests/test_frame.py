"""What all stages share: partitions, storage, fingerprints, ledger, tasks, and the runner with a small stage."""

import gzip
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

import fsspec
import pytest

from curate.cli.status import _lines
from curate.funnel import funnel
from pipelines.frame import fingerprints, ledger, partitions, storage
from pipelines.frame.engines.local import LocalEngine
from pipelines.frame.partitions import InputsChanged, Partition
from pipelines.frame.run import StageFailed, plan_stage, run_stage
from pipelines.frame.stage import Job, Read, Span, Stage, assignments
from pipelines.frame.storage import Workspace
from pipelines.frame.task import Assignment, Task
from schemas.ledger import LedgerRecord, Output, Skip, Tally
from schemas.recipe import Recipe
from schemas.statuses import StageName
from tests.archives import make_warc, pages


@pytest.fixture(params=["local", "memory"])
def workspace(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Workspace]:
    memory = fsspec.filesystem("memory")
    yield Workspace(str(tmp_path / "out") if request.param == "local" else "memory://bucket/out")
    memory.rm("/", recursive=True)


@pytest.mark.parametrize("split", [1, 700, 5000, 10**9])
def test_slices_tile_the_file_and_none_is_longer_than_asked(tmp_path: Path, split: int) -> None:
    path = make_warc(tmp_path / "a.warc.gz", pages(3))
    planned, size = partitions.plan([path], split), Path(path).stat().st_size
    assert [p.partition for p in planned] == list(range(-(-size // split)))
    assert planned[0].start == 0 and planned[-1].end == size
    assert all(before.end == after.start for before, after in pairwise(planned))
    assert all(0 < p.bytes <= split and p.file_bytes == size for p in planned)


def test_only_files_that_can_be_read_from_the_middle_are_cut(tmp_path: Path) -> None:
    plain = b"".join(pages(3, compressed=False))
    uncut = {"plain": plain, "whole": gzip.compress(plain), "one": pages(1)[0], "text": b"text " * 999, "empty": b""}
    paths = [make_warc(tmp_path / name, [content]) for name, content in uncut.items()]
    assert [(p.start, p.end) for p in partitions.plan(paths, 500)] == [(0, len(content)) for content in uncut.values()]
    members = make_warc(tmp_path / "a.warc.gz", pages(3))
    assert len(partitions.plan([members], 500)) > 1 and len(partitions.plan([members], 0)) == 1


@pytest.mark.parametrize(("size", "slices"), [(2, 1), (3, 2), (9, 5), (160, 16), (2048, 32)])
def test_auto_cuts_sixteenths_between_2_and_64_mebibytes(tmp_path: Path, size: int, slices: int) -> None:
    path = make_warc(tmp_path / "a.warc.gz", pages(3))
    with open(path, "r+b") as file:
        file.truncate(size << 20)  # a hole: no bytes are written
    assert len(partitions.plan([path], "auto")) == slices


def test_a_job_that_grows_keeps_its_numbers_and_a_plan_is_read_as_written(tmp_path: Path, workspace: Workspace) -> None:
    old = make_warc(tmp_path / "m.warc.gz", pages(3))
    new = [make_warc(tmp_path / f"{name}.warc.gz", pages(2)) for name in "az"]
    known = partitions.plan([old], 2000)
    assert partitions.load(workspace) == []
    partitions.save(workspace, known)
    assert partitions.load(workspace) == known
    grown = partitions.extend(partitions.load(workspace), partitions.plan(sorted([old, *new]), 2000))
    assert grown[: len(known)] == known
    assert [p.partition for p in grown] == list(range(len(grown)))
    assert {p.path for p in grown[len(known) :]} == set(new)
    assert partitions.extend(grown, partitions.plan([new[1], old, new[0]], 2000)) == grown


def test_changed_inputs_are_named_and_what_changed_is_said(tmp_path: Path) -> None:
    kept, other = (make_warc(tmp_path / f"{n}.warc.gz", pages(n)) for n in (3, 4))
    known = partitions.plan([kept, other], 2000)
    with pytest.raises(InputsChanged, match=r"4\.warc\.gz is an input of the job .* but not of this command"):
        partitions.extend(known, partitions.plan([kept], 2000))
    with pytest.raises(InputsChanged, match=r"3\.warc\.gz is cut into other slices .*input\.split_bytes"):
        partitions.extend(known, partitions.plan([kept, other], 1000))
    make_warc(Path(other), pages(4)[::-1])
    with pytest.raises(InputsChanged, match=r"4\.warc\.gz has changed since the job"):
        partitions.extend(known, partitions.plan([kept, other], 2000))


def test_a_staged_file_appears_only_when_it_is_whole(workspace: Workspace) -> None:
    with workspace.staged("images/0.tar") as path:
        path.write_bytes(b"half")
        assert not workspace.exists("images/0.tar") and workspace.list("images") == []
    assert workspace.read_text("images/0.tar") == "half" and workspace.list("images") == ["images/0.tar"]
    with pytest.raises(RuntimeError), workspace.staged("images/0.tar") as second:
        second.write_text("new")
        raise RuntimeError
    assert workspace.read_text("images/0.tar") == "half", "a file that failed replaced the old one"
    assert not path.exists() and not second.exists()


def test_leftovers_are_not_listed_and_only_they_are_removed(tmp_path: Path) -> None:
    local = Workspace(str(tmp_path))
    local.write_text("shards/manifest.json", "{}")
    leftovers = [local.stage("shards/0.tar"), local.stage("images/0.tar")]
    for path in leftovers:
        path.touch()
    assert local.list("shards") == ["shards/manifest.json"]
    local.remove_leftovers("shards")
    assert [path.exists() for path in leftovers] == [False, True] and local.exists("shards/manifest.json")


def test_names_are_listed_sorted_and_what_is_not_there_is_no_error(workspace: Workspace) -> None:
    assert workspace.list("ledger") == [] and not workspace.exists("ledger") and not workspace.exists()
    for name in ("ledger/b", "ledger/a", "ledger/c/d"):
        workspace.write_text(name, "")
    assert [n for n in workspace.list("ledger") if not n.endswith("/c")] == ["ledger/a", "ledger/b"]
    workspace.remove("ledger/a")
    workspace.remove("ledger/a")
    assert not workspace.exists("ledger/a") and workspace.exists("ledger/b") and workspace.exists()
    with pytest.raises(FileNotFoundError):
        workspace.open("ledger/a")


@pytest.mark.parametrize("root", ["local", "memory://crawl"])
def test_a_path_a_glob_and_a_folder_name_the_same_archives(tmp_path: Path, root: str) -> None:
    folder = str(tmp_path) if root == "local" else root
    fs, base = fsspec.core.url_to_fs(folder)
    for name in ("b.warc.gz", "a.warc", "c.arc.gz", "notes.txt"):
        fs.pipe_file(f"{base}/{name}", b"bytes")
    everything = [file.name for file in storage.expand(f"{folder}/*")]
    assert everything == ["a.warc", "b.warc.gz", "c.arc.gz", "notes.txt"]
    (found,) = storage.expand(f"{folder}/b.warc.gz")
    assert storage.size_of(found.path) == found.size == 5
    assert storage.open_read(found.path).read() == storage.open_read(found.path, 5).read() == b"bytes"
    assert storage.expand(f"{folder}/nothing*") == storage.expand(f"{folder}/missing.warc") == []
    assert [file.name for file in storage.expand(folder)] == ["a.warc", "b.warc.gz", "c.arc.gz"]


def test_a_fingerprint_of_data_ignores_the_order_of_keys_and_nothing_else() -> None:
    same = [{"a": 1, "b": [1, {"c": None}]}, {"b": [1, {"c": None}], "a": 1}]
    others = [{"a": 1, "b": [{"c": None}, 1]}, {"a": "1", "b": [1, {"c": None}]}, {"a": 1}]
    assert len(set(map(fingerprints.of_data, same))) == 1 and len(set(map(fingerprints.of_data, same + others))) == 4


def test_an_input_is_known_again_after_a_copy_and_not_after_a_change(tmp_path: Path) -> None:
    content = random.Random(5).randbytes(200_000)
    changed = [content, content[:-1], content[:-1] + b"!", b"!" + content[1:], content + b"!", b""]
    for number, data in enumerate([*changed, content]):
        (tmp_path / str(number)).write_bytes(data)
    digests = [fingerprints.of_input(str(tmp_path / str(n)), len(data)) for n, data in enumerate([*changed, content])]
    assert len(set(digests)) == len(changed) and digests[-1] == digests[0]
    assert fingerprints.of_file(tmp_path / "0") == hashlib.sha256(content).hexdigest()


def test_tallies_add_up_and_can_be_added() -> None:
    tally, other = Tally(), Tally.model_validate({"in": 2, "reasons": {"empty": 2}})
    tally.keep(3)
    tally.drop("empty")
    tally.add(other)
    assert (tally.taken, tally.out, tally.reasons) == (6, 3, {"empty": 3}) and tally.adds_up
    assert not Tally.model_validate({"in": 1}).adds_up


def a_record(partition: int = 0, digest: str = "") -> LedgerRecord:
    tally = Tally.model_validate({"in": 5, "out": 3, "reasons": {"empty": 2}})
    outputs = [Output(path=f"{folder}/{partition:05d}.x", bytes=5, sha256=digest + folder) for folder in ("a", "b")]
    skips = [Skip(offset=3, length=4, reason="damaged_gzip")]
    about: dict[str, Any] = {"tallies": {"records": tally}, "outputs": outputs, "skips": skips, "seam": (0, 7)}
    return LedgerRecord(stage="extract", partition=partition, fingerprint="f", errors=1, seconds=0.5, **about)


def test_a_record_is_read_as_it_was_written_and_no_other_file_is_taken_for_one(workspace: Workspace) -> None:
    for number in (11, 2):
        ledger.write(workspace, a_record(number))
    for name in ("ledger/extract/notes.txt", "ledger/extract/abc.json", "ledger/fetch/00005.json"):
        workspace.write_text(name, "{}")
    assert ledger.partitions_in(workspace, StageName.EXTRACT) == [2, 11]
    assert ledger.read_all(workspace, StageName.EXTRACT) == {n: a_record(n) for n in (2, 11)}
    ledger.invalidate(workspace, "extract", 2)
    assert sorted(ledger.read_all(workspace, "extract")) == [11]


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"{}", bytes(64), b"\xff\xfe\x80", a_record().model_dump_json().encode()[:-20],
                a_record().model_copy(update={"version": 0}).model_dump_json(by_alias=True).encode()],
)  # fmt: skip
def test_a_record_that_is_broken_or_of_another_version_counts_as_not_done(workspace: Workspace, content: bytes) -> None:
    with workspace.staged(ledger.name_of("extract", 0)) as path:
        path.write_bytes(content)
    assert ledger.read(workspace, "extract", 0) is None and ledger.read_all(workspace, "extract") == {}


def a_task(workspace: Workspace, fingerprint: str = "f") -> Task:
    return Task("extract", Assignment(Partition(0, "/in/a.warc", 0, 9, 9, "d"), fingerprint), workspace, Recipe())


def test_nothing_of_a_task_is_visible_before_its_commit_and_all_of_it_after(workspace: Workspace) -> None:
    task = a_task(workspace)
    task.file("documents/00000.txt").write_bytes(b"content")
    task.describe_output("documents/00000.txt", rows=3)
    (unneeded := task.file("pdfs/00000.tar")).touch()
    task.discard("pdfs/00000.tar")
    task.tally("records").keep(3)
    assert not unneeded.exists() and workspace.list("documents") == [] and ledger.read_all(workspace, "extract") == {}
    task.commit()
    digest, record = hashlib.sha256(b"content").hexdigest(), ledger.read(workspace, "extract", 0)
    assert record is not None and (record.fingerprint, record.errors) == ("f", 0) and record.tallies["records"].out == 3
    assert record.outputs == [Output(path="documents/00000.txt", bytes=7, sha256=digest, counts={"rows": 3})]
    assert workspace.read_text("documents/00000.txt") == "content" and workspace.list("pdfs") == []


def test_errors_are_counted_all_and_described_up_to_a_hundred(workspace: Workspace) -> None:
    task = a_task(workspace)
    for number in range(120):
        with task.guard("records", f"page {number}"):
            if number < 105:
                raise KeyError(f"no {number}")
            task.tally("records").keep()
    task.commit()
    record = ledger.read(workspace, "extract", 0)
    assert record is not None and record.errors == 105
    assert record.tallies["records"] == Tally.model_validate({"in": 120, "out": 15, "reasons": {"error": 105}})
    errors = [json.loads(line) for line in workspace.read_text("errors/extract/00000.jsonl").splitlines()]
    assert len(errors) == 100
    assert [errors[7][name] for name in ("partition", "key", "error")] == [0, "page 7", "KeyError"]
    assert "no 7" in errors[7]["message"] and errors[7]["where"].startswith("test_frame.py:")
    a_task(workspace).commit()
    assert workspace.list("errors/extract") == [], "errors of an earlier attempt are still there"


def test_twins_and_a_commit_after_invalidation_leave_one_whole_result(workspace: Workspace) -> None:
    for task in (a_task(workspace), a_task(workspace)):
        task.file("documents/00000.txt").write_bytes(b"the same")
        ledger.invalidate(workspace, "extract", 0)
        task.commit()
        assert ledger.read(workspace, "extract", 0) is not None
        assert workspace.list("documents") == ["documents/00000.txt"]


def test_a_commit_that_fails_leaves_no_record_that_looks_done(workspace: Workspace) -> None:
    a_task(workspace, "old").commit()
    task = a_task(workspace, "new")
    task.file("pdfs/00000.tar")  # announced and never written
    with pytest.raises(FileNotFoundError):
        task.commit()
    assert ledger.read(workspace, "extract", 0) is None


class Lines(Stage):
    """Sums the numbers in its input, one a line; notes each time that it is asked to; fails where it is told to."""

    name: ClassVar[StageName] = StageName.EXTRACT
    writes: ClassVar[tuple[str, ...]] = ("sums",)

    def settings(self, recipe: Recipe) -> dict[str, Any]:
        return recipe.extract.fingerprinted()

    def identity(self, partition: Partition) -> dict[str, Any]:
        return partition.identity

    def process(self, task: Task, given: Sequence[Any]) -> None:
        source = Path(task.partition.path)
        with open(f"{source}.runs", "a") as runs:
            runs.write("x")
        total = 0
        for line in source.read_text().splitlines():
            with task.guard("lines", line):
                total += int(line)
                task.tally("lines").keep()
        task.file(f"sums/{task.number:05d}.txt").write_text(str(total))
        if Path(f"{source}.broken").exists():
            raise OSError("the disk is on fire")


def a_job(tmp_path: Path, *contents: str, workspace: Workspace | None = None, **recipe: Any) -> Job:
    paths = [tmp_path / f"{number}.txt" for number in range(len(contents))]
    for path, content in zip(paths, contents, strict=True):
        path.write_text(content)
    planned = partitions.plan([str(path) for path in paths], 0)
    return Job(workspace or Workspace(str(tmp_path / "out")), Recipe.model_validate(recipe), tuple(planned))


def run(job: Job, stage: Stage | None = None) -> list[int]:
    """Run a stage in this process; the partitions that there were to do."""
    planned = plan_stage(stage or Lines(), job)
    run_stage(planned, job, LocalEngine(workers=1))
    return [a.partition.partition for a in planned.todo]


def runs(tmp_path: Path) -> list[int]:
    return [path.stat().st_size for path in sorted(tmp_path.glob("*.runs"))]


def test_what_is_done_stays_done_until_a_setting_or_an_input_changes(tmp_path: Path, workspace: Workspace) -> None:
    job = a_job(tmp_path, "1\n2", "3", workspace=workspace)
    assert run(job) == [0, 1] and run(job) == [] and runs(tmp_path) == [1, 1]
    assert run(a_job(tmp_path, "1\n2", "3", workspace=workspace, max_error_rate=0.5)) == []
    assert run(a_job(tmp_path, "1\n2", "3", workspace=workspace, extract={"max_nodes": 9})) == [0, 1]
    assert run(a_job(tmp_path, "1\n2", "4", workspace=workspace, extract={"max_nodes": 9})) == [1]
    assert runs(tmp_path) == [2, 3] and [workspace.read_text(f"sums/0000{n}.txt") for n in (0, 1)] == ["3", "4"]
    ledger.invalidate(workspace, StageName.EXTRACT, 0)
    assert run(a_job(tmp_path, "1\n2", "4", workspace=workspace, extract={"max_nodes": 9})) == [0]


def test_a_failing_partition_fails_the_stage_with_its_message_and_the_others_stay_done(tmp_path: Path) -> None:
    job = a_job(tmp_path, "1", "2", "3")
    (tmp_path / "1.txt.broken").touch()
    job.workspace.stage("sums/00002.txt").write_text("half a file of an interrupted run")
    message = (
        r"extract: 1 of 3 partitions failed; partition 1: OSError: the disk is on fire \(test_frame\.py:.*1\.txt\)"
    )
    with pytest.raises(StageFailed, match=message):
        run(job)
    assert sorted(ledger.read_all(job.workspace, StageName.EXTRACT)) == [0, 2]
    assert funnel(job.workspace)["stages"][0]["failed"] == [1]
    assert "  1 partitions failed, the first 1: see errors/extract/" in _lines(
        {**funnel(job.workspace), "thresholds": {}}
    )
    assert job.workspace.list("sums") == ["sums/00000.txt", "sums/00002.txt"]
    assert list((tmp_path / "out" / "sums").glob(".*")) == []
    (tmp_path / "1.txt.broken").unlink()
    assert run(job) == [1] and runs(tmp_path) == [1, 2, 1]
    assert job.workspace.list("errors/extract") == []
    assert funnel(job.workspace)["stages"][0]["failed"] == []


def test_errors_fail_the_stage_only_above_the_rate_that_the_recipe_allows(tmp_path: Path) -> None:
    contents = ("1\n2\nthree\n4\n5", "6\n7\n8\nnine\n10")
    message = r"extract: 2 of 10 items failed, more than max_error_rate 0\.19 allows; see .*/errors/extract"
    with pytest.raises(StageFailed, match=message):
        run(a_job(tmp_path, *contents, max_error_rate=0.19))
    with pytest.raises(StageFailed):
        run(a_job(tmp_path, *contents, max_error_rate=0.19))
    assert run(a_job(tmp_path, *contents, max_error_rate=0.2)) == [] and runs(tmp_path) == [1, 1]
    assert json.loads((tmp_path / "out" / "errors/extract/00001.jsonl").read_text())["key"] == "nine"


@pytest.mark.parametrize(
    ("span", "decides", "outdated"),
    [(Span.OWN, True, [1]), (Span.FILE, True, [0, 1]), (Span.ALL, True, [0, 1, 2]), (Span.ALL, False, [])],
)
def test_a_change_upstream_outdates_what_reads_it(
    tmp_path: Path, span: Span, decides: bool, outdated: list[int]
) -> None:
    class Reader(Lines):
        name: ClassVar[StageName] = StageName.FETCH
        reads: ClassVar[tuple[Read, ...]] = (Read(StageName.EXTRACT, "a", span, decides),)

    cut = [Partition(n, "/in/x.warc" if n < 2 else "/in/y.warc", n, n + 1, 9, "d") for n in range(3)]
    job = Job(Workspace(str(tmp_path)), Recipe(), tuple(cut))

    def fingerprints_with(digest: str) -> list[str]:
        upstream = {StageName.EXTRACT: {n: a_record(n, digest=digest if n == 1 else "") for n in range(3)}}
        return [a.fingerprint for a in assignments(Reader(), job, upstream)]

    before, after = fingerprints_with(""), fingerprints_with("other")
    assert [n for n in range(3) if before[n] != after[n]] == outdated
