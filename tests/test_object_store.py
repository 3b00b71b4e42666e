"""Files in an object store: what each operation costs, that faults do no harm, and that errors say what to do."""

import multiprocessing
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs

from pipelines.frame import ledger, partitions, storage, tables
from pipelines.frame.storage import Workspace
from pipelines.frame.stores import objects as object_store
from pipelines.frame.stores import scratch
from pipelines.frame.stores.errors import StoreFailed
from pipelines.frame.stores.ranged import BLOCK
from pipelines.frame.warc import Archive, Record, Slice, read_records
from schemas.ledger import LedgerRecord, Output
from schemas.tables import DOCUMENTS
from tests.archives import make_warc, pages
from tests.s3_store import Requests, environment, proxy, s3_server

CRAWLS = "s3://crawls"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with s3_server(tmp_path_factory.mktemp("s3"), "crawls", "commoncrawl") as endpoint:
        yield endpoint


@pytest.fixture(scope="module")
def counted(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Requests]:
    with proxy(server, tmp_path_factory.mktemp("proxy") / "log.jsonl") as requests:
        yield requests


@pytest.fixture
def calm(counted: Requests, monkeypatch: pytest.MonkeyPatch) -> Requests:
    """A store without faults, in this process."""
    _use(counted.endpoint, monkeypatch)
    counted.forget()
    return counted


def _use(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment(endpoint).items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # they remember the endpoint that they were made with


def _put(path: str, content: bytes) -> str:
    local = object_store.stage(path)
    local.write_bytes(content)
    object_store.put(local, path)
    return path


def _warc(tmp_path: Path, name: str, count: int, size: int = 3000) -> tuple[str, bytes]:
    """A WARC in the store, and its bytes."""
    content = Path(make_warc(tmp_path / name, pages(count, size=size))).read_bytes()
    return _put(f"{CRAWLS}/in/{name}", content), content


def _read(part: Slice) -> list[Any]:
    return list(read_records(part, lambda _kind, _head: 1 << 20))


# Reading


def test_slices_of_a_warc_in_a_store_are_read_as_from_disk_and_each_byte_is_moved_about_once(
    tmp_path: Path, calm: Requests
) -> None:
    path, content = _warc(tmp_path, "slices.warc.gz", 60, 60_000)
    assert len(content) > 1_500_000
    planned = partitions.plan([path], 500_000)
    assert [p.end for p in planned] == [p.end for p in partitions.plan([str(tmp_path / "slices.warc.gz")], 500_000)]
    calm.forget()
    slices = [Slice(p.path, p.start, p.end, p.file_bytes) for p in planned]
    found = [item for part in slices for item in _read(part)]
    assert found == _read(Slice(str(tmp_path / "slices.warc.gz")))
    assert calm.kinds() == {"GET": 2 * len(planned) - 1}, "what the file begins with, and the slice with what follows"
    assert sum(line["received"] for line in calm.seen()) < len(content) + len(planned) * (320 << 10)


def test_single_records_are_read_without_what_lies_between_them(tmp_path: Path, calm: Requests) -> None:
    path, content = _warc(tmp_path, "single.warc.gz", 60, 60_000)
    records = [item for item in _read(Slice(path)) if isinstance(item, Record)]
    calm.forget()
    with Archive(path, len(content)) as archive:
        for record in (records[10], records[50]):
            assert archive.record_at(record.offset, record.url, 1 << 20) == record
    assert sum(line["received"] for line in calm.seen()) < 8 * (64 << 10) < len(content) // 4


@pytest.mark.parametrize(
    ("size", "expected"),
    [(0, {"GET": 1}), (1000, {"GET": 1}), (BLOCK - 1, {"GET": 1}), (BLOCK, {"GET": 1, "HEAD": 1}),
     (2 * BLOCK + 5, {"GET": 3, "HEAD": 1})],
)  # fmt: skip
def test_a_small_file_is_one_request_and_a_larger_one_a_request_a_block(
    calm: Requests, size: int, expected: dict[str, int]
) -> None:
    content = b"0123456789abcdef" * (size // 16) + b"x" * (size % 16)
    path = _put(f"{CRAWLS}/sizes/{size}", content)
    calm.forget()
    with storage.open_read(path) as file:
        assert file.read() == content
    assert calm.kinds() == expected


def test_a_file_that_is_not_there_is_one_request_and_no_listing(calm: Requests) -> None:
    with pytest.raises(FileNotFoundError):
        storage.open_read(f"{CRAWLS}/nothing/here")
    assert Workspace(f"{CRAWLS}/nothing").list("ledger/extract") == []
    assert calm.kinds()["GET"] == 1
    assert all(line["prefix"].startswith("nothing/") for line in calm.seen(kind="LIST")), "no other folder is listed"


def test_a_file_that_is_removed_or_cut_while_it_is_read_is_no_damage_of_the_archive(
    tmp_path: Path, calm: Requests
) -> None:
    path, content = _warc(tmp_path, "gone.warc.gz", 30, 60_000)
    for after in (None, content[:100_000]):
        _put(path, content)
        records = read_records(Slice(path, 0, 10, len(content)), lambda _kind, _head: 1 << 20)
        whole = read_records(Slice(path, 300_000, len(content), len(content)), lambda _kind, _head: 1 << 20)
        assert isinstance(next(records), Record)
        storage.store_of(path).remove(path) if after is None else _put(path, after)
        with pytest.raises(StoreFailed, match="while it was read"):
            list(whole)


def test_answers_that_break_off_and_connections_that_close_lose_no_byte(
    tmp_path: Path, server: str, calm: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = _warc(tmp_path, "breaks.warc.gz", 60, 60_000)
    with proxy(server, tmp_path / "log", reset=7, broken_body=3) as stormy:
        _use(stormy.endpoint, monkeypatch)
        planned = partitions.plan([path], 300_000)
        found = [item for p in planned for item in _read(Slice(p.path, p.start, p.end, p.file_bytes))]
        faults = Counter(line["fault"] for line in stormy.seen())
    assert found == _read(Slice(str(tmp_path / "breaks.warc.gz")))
    assert faults["reset"] >= 2 and faults["broken_body"] >= 4


def test_a_large_table_is_read_in_blocks_and_its_last_bytes_first(calm: Requests) -> None:
    workspace = Workspace(f"{CRAWLS}/large")
    with workspace.staged(tables.name_of(DOCUMENTS, 0)) as path:
        writer = tables.TableWriter(DOCUMENTS, path)
        for number in range(40):
            noise = random.Random(number).randbytes(450_000).hex()
            row: dict[str, Any] = {field.name: [] for field in DOCUMENTS.schema if str(field.type).startswith("list")}
            ids = {"doc_id": f"{number:032x}", "url": "u", "warc_path": "w", "warc_offset": 0}
            writer.write_rows([row | ids | {"texts": [noise + str(number)]}])
        writer.close()
        size = path.stat().st_size
    assert size > 2 * BLOCK
    calm.forget()
    read = [doc_id for batch in tables.read_batches(workspace, DOCUMENTS, 0, ["doc_id"]) for doc_id in batch["doc_id"]]
    assert len(read) == 40
    assert calm.kinds()["HEAD"] == 1 and calm.kinds()["GET"] <= size // BLOCK + 4


# Writing


def test_a_large_file_goes_up_in_parts_and_comes_back_whole(calm: Requests, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_store, "_PART", 5 << 20)
    content = bytes(range(256)) * (12 << 12)
    path = _put(f"{CRAWLS}/parts/large.tar", content)
    assert calm.kinds() == {"PUT": 5}, "begin, three parts, end"
    assert storage.open_read(path).read() == content


def test_parts_that_a_killed_upload_left_are_removed_with_the_leftovers_of_their_folder(calm: Requests) -> None:
    s3 = s3fs.S3FileSystem()
    for key in ("left/images/00000.tar", "left/shards/00000.tar"):
        begun = s3.call_s3("create_multipart_upload", Bucket="crawls", Key=key)
        s3.call_s3("upload_part", Bucket="crawls", Key=key, UploadId=begun["UploadId"], PartNumber=1, Body=b"half")
    Workspace(f"{CRAWLS}/left").remove_leftovers("images")
    left = s3.call_s3("list_multipart_uploads", Bucket="crawls")["Uploads"]
    assert [upload["Key"] for upload in left] == ["left/shards/00000.tar"]


@pytest.mark.parametrize("root", ["local", f"{CRAWLS}/twins"])
def test_of_two_workers_that_do_the_same_partition_equal_ones_are_one_and_different_ones_none(
    tmp_path: Path, calm: Requests, root: str
) -> None:
    workspace = Workspace(str(tmp_path) if root == "local" else root)
    records = [
        LedgerRecord(stage="fetch", partition=0, fingerprint="f", seconds=seconds,
                     outputs=[Output(path="images/00000.tar", bytes=1, sha256=digest)])
        for seconds, digest in ((1.0, "a"), (2.0, "a"), (3.0, "b"))
    ]  # fmt: skip
    ledger.commit(workspace, records[0])
    ledger.commit(workspace, records[1])
    assert ledger.read(workspace, "fetch", 0) == records[0]
    with pytest.raises(ledger.CommittedTwice, match="another worker"):
        ledger.commit(workspace, records[2])
    assert ledger.read(workspace, "fetch", 0) is None, "which files lie there nobody knows"
    ledger.commit(workspace, records[2])
    assert ledger.read(workspace, "fetch", 0) == records[2]


def test_a_store_without_conditions_takes_records_too(
    tmp_path: Path, server: str, calm: Requests, monkeypatch: pytest.MonkeyPatch
) -> None:
    with proxy(server, tmp_path / "log", no_condition=1) as simple:
        _use(simple.endpoint, monkeypatch)
        workspace, record = Workspace(f"{CRAWLS}/simple"), LedgerRecord(stage="pack", partition=0, fingerprint="f")
        ledger.commit(workspace, record)
        assert ledger.read(workspace, "pack", 0) == record
        assert [line["status"] for line in simple.seen(kind="PUT")] == [501, 200]


def test_what_another_worker_wrote_is_seen_at_once(calm: Requests) -> None:
    workspace = Workspace(f"{CRAWLS}/seen")
    assert ledger.read_all(workspace, "pack") == {} and not workspace.exists("ledger")
    other = multiprocessing.get_context("spawn").Process(target=_commit, args=(workspace.root, "first"))
    other.start()
    other.join(60)
    assert [r.fingerprint for r in ledger.read_all(workspace, "pack").values()] == ["first"]
    other = multiprocessing.get_context("spawn").Process(target=_commit, args=(workspace.root, "second"))
    other.start()
    other.join(60)
    assert [r.fingerprint for r in ledger.read_all(workspace, "pack").values()] == ["second"]
    calm.forget()
    assert ledger.partitions_in(workspace, "pack") == [0] and len(ledger.read_all(workspace, "pack")) == 1
    assert calm.kinds() == {"LIST": 2}, "a record that is the same still is not read again"


def _commit(root: str, fingerprint: str) -> None:
    ledger.invalidate(Workspace(root), "pack", 0)
    ledger.commit(Workspace(root), LedgerRecord(stage="pack", partition=0, fingerprint=fingerprint))


def test_scratch_is_gone_when_its_process_is_and_that_of_a_killed_one_when_the_next_begins(tmp_path: Path) -> None:

    script = (
        "import os, sys; from pipelines.frame.stores import scratch; "
        "(scratch.folder() / 'x').touch(); print(scratch.folder())"
    )
    killed, left = (
        subprocess.run([sys.executable, "-c", script + end], env=environment("", TMPDIR=str(tmp_path)), check=False)
        for end in ("; os.kill(os.getpid(), 9)", "")
    )
    assert (killed.returncode, left.returncode) == (-9, 0)
    assert list(tmp_path.iterdir()) == []
    assert scratch.folder() == scratch.folder() and scratch.folder().is_dir()
