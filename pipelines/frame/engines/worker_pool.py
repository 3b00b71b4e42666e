"""A worker pool as Beam's EXTERNAL environment asks for: workers on request, forked from a server with all imported.

Takes the place of Beam's own, which starts whichever `python` is first on the path, takes seconds to import Beam for
every worker, and ends the wrong one where two executors of a node, or two jobs, gave theirs the same id.
"""

import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc

from pipelines.frame.engines import fork_server
from pipelines.frame.stores import scratch

_THREADS = 16
_OPTIONS = [
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 0),  # else a second pool would share the port of the first, without an error
]
_HARNESS = "apache_beam.runners.worker.sdk_worker"
_LOGGER = logging.getLogger("worker-pool")


def serve(host: str, port: int, modules: Sequence[str]) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; workers end with the pool, however it ends.

    `modules` are imported before workers are forked.

    Raises:
        OSError: where the address cannot be bound.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr, force=True)
    _LOGGER.setLevel(logging.INFO)
    fork_server.start([_HARNESS, __name__, *modules])
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    server = grpc.server(ThreadPoolExecutor(_THREADS), options=_OPTIONS)
    beam_fn_api_pb2_grpc.add_BeamFnExternalWorkerPoolServicer_to_server(_Pool(), server)
    try:
        bound = server.add_insecure_port(f"{host}:{port}")
    except RuntimeError as error:
        raise OSError(str(error)) from error
    server.start()
    _LOGGER.info("waiting for executors at %s:%s", host, bound)
    stop.wait()
    server.stop(None)


class _Pool(beam_fn_api_pb2_grpc.BeamFnExternalWorkerPoolServicer):
    def StartWorker(  # noqa: N802 - the name of the RPC
        self, request: beam_fn_api_pb2.StartWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StartWorkerResponse:
        """Fork a worker that asks the given endpoint for work."""
        arguments = (request.worker_id, request.control_endpoint.url)
        worker = multiprocessing.get_context("forkserver").Process(target=_work, args=arguments, daemon=True)
        try:
            worker.start()
        except Exception as error:  # noqa: BLE001 - the executor gets to know, and its task fails
            return beam_fn_api_pb2.StartWorkerResponse(error=f"{type(error).__name__}: {error}")
        _LOGGER.info("worker %s for %s: pid %s", *arguments, worker.pid)
        return beam_fn_api_pb2.StartWorkerResponse()

    def StopWorker(  # noqa: N802 - the name of the RPC
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing: a worker ends with the executor's connection, and ids are not unique among executors."""
        return beam_fn_api_pb2.StopWorkerResponse()


def _work(worker_id: str, endpoint: str) -> None:
    """Beam's harness, until the executor closes the connection or the pool is gone; then end, whatever is half done."""
    from apache_beam.runners.worker.sdk_worker import SdkHarness

    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_pool, daemon=True).start()
    # Its threads complain when the executor hangs up, which is how every worker ends.
    logging.getLogger("apache_beam.runners.worker.data_plane").setLevel(logging.CRITICAL)
    threading.excepthook = _say_unless_hung_up
    try:
        SdkHarness(endpoint, worker_id=worker_id).run()
    except grpc.RpcError as error:
        _LOGGER.info("worker %s: its executor is gone (%s)", worker_id, error.code())
    finally:
        scratch.tidy_up()
        sys.stderr.flush()
        os._exit(0)


def _say_unless_hung_up(raised: threading.ExceptHookArgs) -> None:
    if not isinstance(raised.exc_value, grpc.RpcError):
        threading.__excepthook__(raised)


def _leave_with_pool() -> None:
    pool = multiprocessing.parent_process()
    assert pool is not None
    pool.join()
    os._exit(1)
