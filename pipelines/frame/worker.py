"""Entry of a local worker process: Beam's SDK harness, quiet, and gone when the process that started it is gone."""

import ctypes
import logging
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serve one pipeline's bundles until told to stop."""
    _die_with_parent()
    # The driver decides what an interrupt means; its end ends this process too.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    logging.disable(logging.WARNING)
    from apache_beam.runners.worker import sdk_worker_main

    sdk_worker_main.main(sys.argv)


def _die_with_parent() -> None:
    """Ask Linux for a SIGKILL when the parent dies, so that kill -9 of a run leaves nobody writing behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


if __name__ == "__main__":
    main()
