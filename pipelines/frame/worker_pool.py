"""A worker pool as Beam's EXTERNAL environment asks for: workers on request, forked from a server with all imported.

Beam's own pool starts an interpreter for every worker of every pipeline, which takes seconds; a job has some twenty
pipelines. These are there in a fraction of one.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from multiprocessing import forkserver
from multiprocessing.process import BaseProcess

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

_THREADS = 16
_KEEP_ALIVE = [("grpc.http2.max_pings_without_data", 0), ("grpc.http2.max_ping_strikes", 0)]


def serve(host: str, port: int, modules: Sequence[str]) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; workers end with the pool, however it ends.

    `modules` are imported before workers are forked.

    Raises:
        OSError: where the address cannot be bound.
    """
    from concurrent.futures import ThreadPoolExecutor

    multiprocessing.get_context("forkserver").set_forkserver_preload([_HARNESS, __name__, *modules])
    forkserver.ensure_running()
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_KEEP_ALIVE)
    pool = _Pool()
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(pool, server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    server.start()
    print(f"worker pool at {host}:{bound}", flush=True)
    stop.wait()
    server.stop(None)
    pool.end()


_HARNESS = "apache_beam.runners.worker.sdk_worker"


class _Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    """Starts and stops workers by the ids that runners give them."""

    def __init__(self) -> None:
        self._workers: dict[str, BaseProcess] = {}
        self._lock = threading.Lock()

    def StartWorker(  # noqa: N802 - the name of the RPC
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Fork a worker that asks the given endpoint for work."""
        arguments = (request.worker_id, request.control_endpoint.url)
        worker = multiprocessing.get_context("forkserver").Process(target=_work, args=arguments, daemon=True)
        try:
            worker.start()
        except OSError as error:
            return beam_fn_api_pb2.StartWorkerResponse(error=str(error))
        with self._lock:
            self._workers = {known: other for known, other in self._workers.items() if other.is_alive()}
            self._workers[request.worker_id] = worker
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802 - the name of the RPC
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """End a worker; nothing happens where there is none of that id."""
        with self._lock:
            worker = self._workers.pop(request.worker_id, None)
        if worker is not None:
            _end([worker])
        return beam_fn_api_pb2.StopWorkerResponse()

    def end(self) -> None:
        """End all workers."""
        with self._lock:
            _end(list(self._workers.values()))


def _end(workers: Sequence[BaseProcess]) -> None:
    """At once: what a worker has not committed does not count."""
    for worker in workers:
        worker.kill()
    for worker in workers:
        worker.join()


def _work(worker_id: str, endpoint: str) -> None:
    """What a forked worker does: Beam's harness, until the runner closes the connection or the pool is gone."""
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_pool, daemon=True).start()
    logging.getLogger().setLevel(logging.WARNING)
    SdkHarness(endpoint, worker_id=worker_id).run()
    sys.stdout.flush()
    os._exit(0)  # threads of the harness may wait for a runner that is gone


def _leave_with_pool() -> None:
    pool = multiprocessing.parent_process()
    assert pool is not None
    pool.join()
    os._exit(1)
