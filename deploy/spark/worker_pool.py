"""Starts Python workers for the Spark executors of this node: one pool a node, in the environment that has curate.

Takes the place of Beam's own `worker_pool_main`, which starts `python`, whichever is first on the path; takes seconds
to import Beam for every worker; kills the wrong one where two executors of a node, or two jobs, gave theirs the same
id; and stops a worker for good that has printed 64 KiB. Here workers are forks of one process that has imported all.
"""

import argparse
import logging
import multiprocessing
import os
import sys
import threading
import traceback
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

_LOGGER = logging.getLogger("worker_pool")
_PRELOAD = ["__main__", "apache_beam.runners.worker.sdk_worker_main", "pipelines.frame.pipeline", "curate.stages"]


class WorkerPool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Beam's protocol for asking for workers."""

    def __init__(self) -> None:
        # Forked by a process that does nothing else: this one has threads, of which a fork would get none.
        self._forks = multiprocessing.get_context("forkserver")
        self._forks.set_forkserver_preload(_PRELOAD)

    def StartWorker(  # noqa: N802 - the protocol's name
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Start a worker that connects to the executor that asked for it."""
        try:
            worker = self._forks.Process(target=work, args=(request.control_endpoint.url, request.worker_id))
            worker.start()
        except Exception:  # noqa: BLE001 - the executor gets to know, and its task fails
            return beam_fn_api_pb2.StartWorkerResponse(error=traceback.format_exc())
        _LOGGER.info("worker %s for %s: pid %s", request.worker_id, request.control_endpoint.url, worker.pid)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802 - the protocol's name
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing: a worker ends with the executor's connection. Ids are not unique among executors."""
        return beam_fn_api_pb2.StopWorkerResponse()


def work(endpoint: str, worker_id: str) -> None:
    """Serve an executor until it closes the connection, or is gone; then end, whatever is still being done."""
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    try:
        SdkHarness(endpoint, worker_id=worker_id).run()
    except grpc.RpcError as error:
        _LOGGER.info("worker %s: the executor is gone (%s)", worker_id, error.code())
    finally:
        sys.stderr.flush()
        os._exit(0)


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until killed. Workers that are busy then go on until their executor lets them go."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=50000, help="the same on every node (default: %(default)s)")
    port = parser.parse_args(argv).port
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", force=True)
    # Without the option a second pool would get a share of the first one's port, not an error.
    server = grpc.server(ThreadPoolExecutor(max_workers=16), options=[("grpc.so_reuseport", 0)])
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(WorkerPool(), server)
    # Executors of this node ask for workers, and workers connect to them, both by loopback.
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    _LOGGER.info("waiting for executors on port %s", port)
    threading.Event().wait()


if __name__ == "__main__":
    main()
