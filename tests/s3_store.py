"""An S3 server and the proxy before it, each a process that is ended again, and what the proxy has counted."""

import contextlib
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
_TEXT = {"Content-Type": "text/plain"}
KEY, SECRET = "AKIDTESTONLY", "wJalrTESTONLYsecret"
_SERVE = ROOT / "deploy" / "s3" / "serve.py"


def environment(endpoint: str, **more: str) -> dict[str, str]:
    """The environment of a process that works with a server."""
    return {
        **os.environ, "AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_DEFAULT_REGION": "us-east-1", **more,
    }  # fmt: skip


@contextlib.contextmanager
def s3_server(folder: Path, *buckets: str) -> Iterator[str]:
    """The endpoint of a server with these buckets."""
    command = [sys.executable, str(_SERVE)]
    made = [argument for bucket in buckets for argument in ("--bucket", bucket)]
    started = subprocess.run([*command, "start", "--folder", str(folder), *made], check=True, stdout=subprocess.PIPE)
    try:
        yield started.stdout.decode().strip()
    finally:
        subprocess.run([*command, "stop", "--folder", str(folder)], check=True)


@dataclass
class Requests:
    """What went through a proxy."""

    endpoint: str
    log: Path

    def seen(self, **wanted: Any) -> list[dict[str, Any]]:
        """Requests with these values, in their order."""
        lines = [json.loads(line) for line in self.log.read_text().splitlines()]
        return [line for line in lines if all(line[name] == value for name, value in wanted.items())]

    def kinds(self) -> Counter[str]:
        """How many there were of each kind."""
        return Counter(line["kind"] for line in self.seen())

    def forget(self) -> None:
        """Count from here on."""
        self.log.write_text("")


@contextlib.contextmanager
def proxy(target: str, log: Path, **every: int) -> Iterator[Requests]:
    """A proxy before a server; faults as in fault_proxy, such as slow_down=10."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    faults = [f"--{name.replace('_', '-')}={number}" for name, number in every.items()]
    command = [sys.executable, "-m", "tests.fault_proxy", f"--target={target}", f"--port={port}", f"--log={log}"]
    process = subprocess.Popen([*command, *faults], cwd=ROOT)
    try:
        _await(port, process)
        yield Requests(f"http://127.0.0.1:{port}", log)
    finally:
        process.terminate()
        process.wait(10)


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(200):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        assert process.poll() is None, "the proxy ended"
        time.sleep(0.05)
    raise AssertionError("the proxy does not listen")


def check_credentials(endpoint: str, after: str) -> None:
    """Let moto check credentials from now on ("0"), or never ("inf")."""
    asked = urllib.request.Request(f"{endpoint}/moto-api/reset-auth", data=after.encode(), method="POST", headers=_TEXT)
    with urllib.request.urlopen(asked, timeout=10) as answer:
        answer.read()
