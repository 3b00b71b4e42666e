#!/bin/sh
# Installs curate and everything it can use into .venv beside this repository. Safe to run again.
# Needs Python 3.11 or 3.12; takes uv from the path, or installs it with pip into .venv-uv.
set -eu
cd "$(dirname "$0")/.."

python=$(command -v python3.11 || command -v python3.12 || command -v python3)

find_uv() {
    if command -v uv >/dev/null 2>&1; then
        command -v uv
        return
    fi
    if [ ! -x .venv-uv/bin/uv ]; then
        # Debian splits venv and pip off from Python: install them where that is so and we may.
        if ! "$python" -m venv .venv-uv >/dev/null 2>&1; then
            rm -rf .venv-uv
            sudo=$([ "$(id -u)" = 0 ] || echo sudo)
            $sudo apt-get update -qq >&2
            $sudo env DEBIAN_FRONTEND=noninteractive \
                apt-get install -y -qq --no-install-recommends python3-venv >/dev/null
            "$python" -m venv .venv-uv >&2
        fi
        .venv-uv/bin/python -m pip install --quiet --disable-pip-version-check uv >&2
    fi
    echo .venv-uv/bin/uv
}

uv=$(find_uv)
# A Python of the system is enough; do not download another one. kenlm has no wheels: it needs a compiler and CMake.
# Bytecode now, since every worker is a process that imports Beam: a second instead of four.
UV_PYTHON_DOWNLOADS=never "$uv" sync --quiet --compile-bytecode --locked --all-extras --no-extra perplexity --python "$python"
# uv does not see that a built library was deleted.
.venv/bin/python -c "import pipelines.extract.native" 2>/dev/null ||
    UV_PYTHON_DOWNLOADS=never "$uv" sync --quiet --locked --all-extras --no-extra perplexity --inexact --reinstall-package curate
