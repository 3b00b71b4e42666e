"""The process from which workers are forked. Light to import, so that it can be started before anything else is."""

import multiprocessing
from collections.abc import Sequence
from multiprocessing import forkserver


def prepare(modules: Sequence[str]) -> None:
    """Say what workers need: imported before the first one is forked."""
    multiprocessing.get_context("forkserver").set_forkserver_preload([*modules])


def start(modules: Sequence[str]) -> None:
    """Begin to import what workers need, in a process of its own, and return at once. Again, it does nothing."""
    prepare(modules)
    forkserver.ensure_running()
