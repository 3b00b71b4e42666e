"""Files in Google Cloud Storage, as far as its emulator goes: it knows no conditions and checks no credentials."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from curate.cli.main import main
from pipelines.frame import ledger, storage
from pipelines.frame.storage import Workspace
from pipelines.frame.stores import objects as object_store
from pipelines.frame.stores.ranged import BLOCK
from schemas.ledger import LedgerRecord

ROOT = "gs://crawls/out"


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "gcp_storage_emulator", "start", "--host=127.0.0.1", f"--port={port}"]
    server = subprocess.Popen([*command, "--in-memory", "--default-bucket=crawls"], stderr=subprocess.DEVNULL)
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.05)
    yield port
    server.terminate()
    server.wait(10)


@pytest.fixture
def workspace(port: int, monkeypatch: pytest.MonkeyPatch) -> Workspace:
    gcsfs = pytest.importorskip("gcsfs")
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", f"http://127.0.0.1:{port}")
    gcsfs.GCSFileSystem.clear_instance_cache()
    return Workspace(ROOT)


def test_a_workspace_in_gcs_writes_lists_and_reads(workspace: Workspace) -> None:
    assert not workspace.exists() and workspace.list("ledger/pack") == []
    record = LedgerRecord(stage="pack", partition=0, fingerprint="f")
    ledger.commit(workspace, record)
    assert ledger.read_all(workspace, "pack") == {0: record} and workspace.exists("ledger")
    workspace.write_text("shards/README.md", "")
    assert workspace.read_text("shards/README.md") == "" and workspace.list("shards") == ["shards/README.md"]
    with pytest.raises(FileNotFoundError):
        workspace.open("ledger/pack/00001.json")
    for name in ("ledger/pack/00000.json", "ledger/pack/00000.json"):
        workspace.remove(name)
    workspace.remove_folder("shards")
    workspace.remove_leftovers("shards")
    assert ledger.read_all(workspace, "pack") == {} and workspace.bytes_in("") == 0


def test_a_large_file_goes_to_gcs_in_parts_and_is_read_in_ranges(workspace: Workspace) -> None:
    content = bytes(range(256)) * ((BLOCK + 300) // 256)
    path = workspace.path("images/00000.tar")
    local = object_store.stage(path)
    local.write_bytes(content)
    object_store.put(local, path)
    with storage.open_read(path) as file:
        assert file.read() == content
    with storage.open_read(path, len(content)) as file:
        file.seek(BLOCK - 10)
        assert file.read() == content[BLOCK - 10 :]


def test_a_bucket_of_gcs_that_is_not_there_is_said(workspace: Workspace, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "gs://nowhere/out"]) == 2
    assert capsys.readouterr().err == "curate: gs://nowhere/out: there is no bucket nowhere\n"
