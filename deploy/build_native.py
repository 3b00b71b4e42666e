"""Builds the C that comes with curate while it is installed, with Zig's compiler, which is a package like any other.

No compiler or header of the machine is needed. What is built where there is glibc asks for no newer one than 2.17.
Without hatchling: `python deploy/build_native.py`, with `ziglang` installed.
"""

import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

try:
    from hatchling.builders.hooks.plugin.interface import BuildHookInterface
except ImportError:  # called by hand
    BuildHookInterface = object

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("filters/native/texts.c", "pipelines/extract/native/markup.c")
_OPTIONS = ("-std=c11", "-O3", "-fPIC", "-shared", "-s", "-Wall", "-Wextra", "-Werror", "-lm")
_GLIBC = "2.17"


def build(root: Path = ROOT) -> list[Path]:
    """Compile each source to a library beside it; their paths."""
    return [_compile(root / source) for source in SOURCES]


def _compile(source: Path) -> Path:
    library = source.with_suffix(".so")
    with tempfile.TemporaryDirectory() as cache:
        made = Path(cache) / library.name
        # Zig's caches go with the folder; a library is replaced whole, since a process may have the old one open.
        places = {"ZIG_LOCAL_CACHE_DIR": cache, "ZIG_GLOBAL_CACHE_DIR": cache}
        command = [sys.executable, "-m", "ziglang", "cc", *_OPTIONS, "-target", _target(), "-o", str(made), str(source)]
        subprocess.run(command, check=True, env=os.environ | places)  # noqa: S603 - all of it is written above
        beside = library.with_name(f".{library.name}.{os.getpid()}")
        beside.write_bytes(made.read_bytes())
        beside.replace(library)
    return library


def _target() -> str:
    """Zig's name of this kind of machine, not of its very processor: a library may be used on another one."""
    machine = platform.machine()
    return f"{machine}-linux-gnu.{_GLIBC}" if platform.libc_ver()[0] == "glibc" else f"{machine}-linux-musl"


class NativeBuildHook(BuildHookInterface):  # type: ignore[misc, valid-type]
    """What hatchling calls before it makes a wheel, of whatever kind."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build, and say that the wheel is for this kind of machine and any Python 3."""
        for library in build(Path(self.root)):
            build_data["artifacts"].append(str(library.relative_to(self.root)))
        build_data["pure_python"] = False
        libc = "manylinux_2_17" if platform.libc_ver()[0] == "glibc" else "musllinux_1_1"
        build_data["tag"] = f"py3-none-{libc}_{platform.machine()}"


if __name__ == "__main__":
    for path in build():
        print(path)
