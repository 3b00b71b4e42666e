"""A run writes into its workspace and the folder for temporary files, and nowhere else: seen from the kernel."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

CALLS = (
    "open,openat,creat,rename,renameat,renameat2,mkdir,mkdirat,unlink,unlinkat,rmdir,link,linkat,symlink,symlinkat,"
    "truncate,mknod,mknodat,connect"
)
OPENED = re.compile(r"^(?:open|openat|creat)\(.*(?:O_WRONLY|O_RDWR|O_CREAT)|^creat\(")
FOLDER_AND_NAME = re.compile(r'(?:\w+<([^>]*)>, )?"([^"]*)"')
SEMAPHORE = re.compile(r"/dev/shm/(?:sem\.)?[\w.-]+$")


def changes(logs: Path) -> Iterator[tuple[str, str]]:
    """(call, absolute path) of everything that was created, opened for writing, moved or removed."""
    for log in logs.iterdir():
        for line in log.read_text(errors="replace").splitlines():
            if " = -1 " in line or not (call := re.match(r"(\w+)\(", line)) or call[1] == "connect":
                continue
            if call[1] in ("open", "openat") and not OPENED.match(line):
                continue
            for folder, name in FOLDER_AND_NAME.findall(line.rpartition(" = ")[0]):
                yield call[1], os.path.normpath(os.path.join(folder or "/", name))


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_run_with_two_workers_writes_into_workspace_and_scratch_alone_and_calls_nobody(tmp_path: Path) -> None:
    out, scratch, logs = tmp_path / "out", tmp_path / "scratch", tmp_path / "logs"
    for folder in (scratch, logs):
        folder.mkdir()
    command = ["strace", "-ff", "-qq", "-y", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", str(logs / "log")]
    command += [sys.executable, "-m", "curate.cli.main", "demo", str(out), "--workers", "2"]
    environment = {**os.environ, "TMPDIR": str(scratch), "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run([*command, "--set", "input.split_bytes=100000"], env=environment, capture_output=True,
                         text=True, check=False, timeout=250)  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    changed = list(changes(logs))
    assert sum(path.startswith(f"{out}/") for _, path in changed) > 100, "the workspace was written"
    elsewhere = {
        (call, path)
        for call, path in changed
        if not path.startswith((f"{out}", f"{scratch}")) and path not in ("/dev/null", "/dev/tty")
        if not SEMAPHORE.match(path)
    }
    assert elsewhere == set()
    assert list(scratch.iterdir()) == [], "temporary files are left"
    addresses = {line for log in logs.iterdir() for line in log.read_text(errors="replace").splitlines()
                 if line.startswith("connect(") and "AF_UNIX" not in line and "127.0.0.1" not in line}  # fmt: skip
    assert addresses == set(), "the demo is offline"
