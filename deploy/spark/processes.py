"""Processes that outlive the command that starts them: started with a log, awaited with a deadline, ended by id."""

import contextlib
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_POLL_SECONDS = 0.05
_GRACE_SECONDS = 10.0


class PartFailed(RuntimeError):
    """A part did not start; the message says which log tells why."""


@dataclass(frozen=True)
class Part:
    """One started process, the head of a process group of its own.

    `born` is the kernel's start time of the process, in clock ticks since boot: a process id alone may be another's
    by the time that the part is to be ended.
    """

    name: str
    pid: int
    born: int
    log: str

    @property
    def is_running(self) -> bool:
        """Whether the very process that was started is still there."""
        return born_at(self.pid) == self.born


def launch(name: str, command: Sequence[str], log: Path, environment: Mapping[str, str]) -> Part:
    """Start a command detached from this terminal. Its process group is its own, so that its children end with it."""
    with log.open("ab") as out:
        process = subprocess.Popen(  # noqa: S603 - the command is made here
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=dict(environment), start_new_session=True
        )
    return Part(name, process.pid, born_at(process.pid) or 0, str(log))


def await_answer(part: Part, answers: Callable[[], bool], seconds: float) -> None:
    """Wait until a part answers.

    Raises:
        PartFailed: it ended, or the time is over.
    """
    deadline = time.monotonic() + seconds
    while not answers():
        if not part.is_running:
            raise PartFailed(f"{part.name} ended while it was starting; see {part.log}\n{_tail(part.log)}")
        if time.monotonic() > deadline:
            raise PartFailed(f"{part.name} did not answer within {seconds:g} s; see {part.log}\n{_tail(part.log)}")
        time.sleep(_POLL_SECONDS)


def listens(host: str, port: int) -> bool:
    """Whether something accepts connections there."""
    with contextlib.suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def free_port(host: str) -> int:
    """A port that nothing listens on now. Another process may take it before it is used; then that part fails."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def end(parts: Iterable[Part]) -> None:
    """End parts with their process groups: asked first, killed where they are still there ten seconds later."""
    groups = [part for part in parts if _group_is_ours(part)]
    for part in groups:
        _signal(part, signal.SIGTERM)
    deadline = time.monotonic() + _GRACE_SECONDS
    while any(_has_members(part) for part in groups) and time.monotonic() < deadline:
        _reap()
        time.sleep(_POLL_SECONDS)
    for part in groups:
        _signal(part, signal.SIGKILL)
    while any(_has_members(part) for part in groups):
        _reap()
        time.sleep(_POLL_SECONDS)


def born_at(pid: int) -> int | None:
    """Start time of a process, in clock ticks since boot; None where there is none, or only its zombie."""
    fields = _stat(pid)
    return None if fields is None or fields[0] == "Z" else int(fields[19])


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on (proc(5)); the name before it may hold blanks and brackets."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None


def _members(part: Part) -> list[int]:
    """Ids of the living processes of a part's group. A process id is not given anew while a group of that id exists."""
    members = []
    for entry in Path("/proc").iterdir():
        if (
            entry.name.isdigit()
            and (fields := _stat(int(entry.name)))
            and fields[0] != "Z"
            and fields[2] == str(part.pid)
        ):
            members.append(int(entry.name))
    return members


def _has_members(part: Part) -> bool:
    return bool(_members(part))


def _group_is_ours(part: Part) -> bool:
    """Whether the group of that id is the part's: its head is the process that was started, or is gone."""
    return born_at(part.pid) in (part.born, None) and _has_members(part)


def _signal(part: Part, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(part.pid, number)


def _reap() -> None:
    """Take the exit status of own children, which else stay as zombies."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _tail(log: str, lines: int = 12) -> str:
    return "\n".join(f"    {line}" for line in Path(log).read_text(errors="replace").splitlines()[-lines:])
