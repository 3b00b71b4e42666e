"""Starts, shows and ends an S3 server on this machine: moto, which keeps objects in memory. For tests and for trying.

It accepts any credentials, unless it is told to check them.
"""

import argparse
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

_STATE, _LOG = "s3.json", "s3.log"
_START_SECONDS = 30.0
_EXAMPLE = """\
example:
  python deploy/s3/serve.py start --folder /tmp/s3 --bucket crawls
  export AWS_ENDPOINT_URL=http://127.0.0.1:PORT AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any
  curate demo s3://crawls/demo
  python deploy/s3/serve.py stop --folder /tmp/s3
"""


def main() -> int:
    """Do what the command says; 1 where the server does not start or none runs."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("action", choices=("start", "status", "stop"))
    parser.add_argument("--folder", type=Path, required=True, help="where the state and the log of the server lie")
    parser.add_argument("--port", type=int, default=0, help="port on 127.0.0.1 (default: a free one)")
    parser.add_argument("--bucket", action="append", default=[], help="a bucket to make; may be repeated")
    options = parser.parse_args()
    folder: Path = options.folder.resolve()
    if options.action == "start":
        return _start(folder, options.port or _free_port(), options.bucket)
    return _status(folder) if options.action == "status" else _stop(folder)


def _start(folder: Path, port: int, buckets: list[str]) -> int:
    folder.mkdir(parents=True, exist_ok=True)
    if _runs(folder):
        print(f"a server of {folder} runs already: stop it first", file=sys.stderr)
        return 1
    endpoint = f"http://127.0.0.1:{port}"
    with (folder / _LOG).open("wb") as log:
        server = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    (folder / _STATE).write_text(json.dumps({"endpoint": endpoint, "pid": server.pid}) + "\n")
    try:
        _await(endpoint, server)
        for bucket in buckets:
            _request(f"{endpoint}/{bucket}", "PUT")
    except OSError as error:
        _stop(folder)
        print(f"the server does not answer ({error}); see {folder / _LOG}", file=sys.stderr)
        return 1
    print(endpoint)
    return 0


def _await(endpoint: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            return _request(f"{endpoint}/moto-api/data.json", "GET")
        except OSError:
            if server.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def _request(url: str, method: str) -> None:
    asked = urllib.request.Request(url, method=method)  # noqa: S310 - the server on 127.0.0.1
    with urllib.request.urlopen(asked, timeout=10) as answer:  # noqa: S310
        answer.read()


def _status(folder: Path) -> int:
    if not _runs(folder):
        print(f"no server of {folder} runs", file=sys.stderr)
        return 1
    print((folder / _STATE).read_text(), end="")
    return 0


def _stop(folder: Path) -> int:
    """End the process that was started here, and no other."""
    if not _runs(folder):
        return 0
    pid = json.loads((folder / _STATE).read_text())["pid"]
    with contextlib.suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGTERM)
    (folder / _STATE).unlink()
    return 0


def _runs(folder: Path) -> bool:
    """Whether the process of the state file is there and is a server still: numbers of processes come again."""
    try:
        pid = json.loads((folder / _STATE).read_text())["pid"]
        return b"moto.server" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except FileNotFoundError:
        return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
