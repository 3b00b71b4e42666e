"""A worker pool as Beam's EXTERNAL environment asks for: workers on request, forked from a server with all imported.

Takes the place of Beam's own, which starts whichever `python` is first on the path, takes seconds to import Beam for
every worker, and ends the wrong one where two executors of a node, or two jobs, gave theirs the same id.
"""

import contextlib
import logging
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection

import grpc
from apache_beam.portability.api import beam_fn_api_pb2, beam_fn_api_pb2_grpc
from apache_beam.runners.worker.bundle_processor import DATA_INPUT_URN
from apache_beam.runners.worker.sdk_worker import SdkHarness

from pipelines.frame.engines import fork_server
from pipelines.frame.stores import scratch

_THREADS = 64
_ATTEMPTS = 3
_OPTIONS = [
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.max_ping_strikes", 0),
    ("grpc.so_reuseport", 0),  # else a second pool would share the port of the first, without an error
]
_LOGGER = logging.getLogger("worker-pool")


def serve(host: str, port: int, modules: Sequence[str]) -> None:
    """Serve until told to stop by SIGTERM or SIGINT; workers end with the pool, however it ends.

    `modules` are imported before workers are forked.

    Raises:
        OSError: where the address cannot be bound.
    """
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(message)s", stream=sys.stderr, force=True)
    _LOGGER.setLevel(logging.INFO)
    fork_server.start([__name__, *modules])
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
        """Fork a worker that asks the given endpoint for work.

        The executor waits for that without end: a worker that dies before is replaced, or the executor is told.
        """
        try:
            for _ in range(_ATTEMPTS):
                if context.is_active() and _started(request.worker_id, request.control_endpoint.url):
                    return beam_fn_api_pb2.StartWorkerResponse()
        except Exception as error:  # noqa: BLE001 - the executor gets to know, and its task fails
            return beam_fn_api_pb2.StartWorkerResponse(error=f"{type(error).__name__}: {error}")
        return beam_fn_api_pb2.StartWorkerResponse(
            error="workers end while they start: see what the worker pool prints"
        )

    def StopWorker(  # noqa: N802 - the name of the RPC
        self, request: beam_fn_api_pb2.StopWorkerRequest, context: grpc.ServicerContext
    ) -> beam_fn_api_pb2.StopWorkerResponse:
        """Nothing: a worker ends with the executor's connection, and ids are not unique among executors."""
        return beam_fn_api_pb2.StopWorkerResponse()


def _started(worker_id: str, endpoint: str) -> bool:
    """Fork a worker; whether it has connected, or ended before."""
    forks = multiprocessing.get_context("forkserver")
    heard, said = forks.Pipe(duplex=False)
    worker = forks.Process(target=_work, args=(worker_id, endpoint, said), daemon=True)
    worker.start()
    said.close()
    _LOGGER.info("worker %s for %s: pid %s", worker_id, endpoint, worker.pid)
    with heard, contextlib.suppress(EOFError):
        return bool(heard.recv())
    return False


class _Harness(SdkHarness):
    """Beam's worker, which connects its data stream before it looks at what it is to do.

    Beam's connects afterwards, and never if it cannot load the stage, as with another version of curate. The executor
    waits three minutes for that stream, four times over, and then does not know the reason.
    """

    def _request_process_bundle(self, request: beam_fn_api_pb2.InstructionRequest) -> None:
        descriptor = self._fns[request.process_bundle.process_bundle_descriptor_id]
        for transform in descriptor.transforms.values():
            if transform.spec.urn == DATA_INPUT_URN:
                port = beam_fn_api_pb2.RemoteGrpcPort.FromString(transform.spec.payload)
                self._data_channel_factory.create_data_channel(port)
        super()._request_process_bundle(request)


def _work(worker_id: str, endpoint: str, connected: Connection) -> None:
    """Serve until the executor closes the connection or the pool is gone; then end, whatever is half done."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_leave_with_pool, daemon=True).start()
    # Its threads complain when the executor hangs up, which is how every worker ends.
    logging.getLogger("apache_beam.runners.worker.data_plane").setLevel(logging.CRITICAL)
    threading.excepthook = _say_unless_hung_up
    try:
        harness = _Harness(endpoint, worker_id=worker_id)
        connected.send(True)
        connected.close()
        harness.run()
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
