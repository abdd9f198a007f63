"""An S3 server on loopback for tests, behind a proxy that makes it fail as real ones do.

The server is moto's, in a process of its own. The proxy runs in threads of this process, so that a
test can say which requests fail, and how, by setting `S3Server.inject`.
"""

import http.client
import os
import random
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from loopback import free_port, wait_until_it_answers

KEY = "PLANTED-KEY-7f3a91"
SECRET = "PLANTED-SECRET-c04b6e2d"
PAGE = 50
"""Most objects that a page of a listing holds, so that paging happens with few."""

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "expect"}
_SLOW_DOWN = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>SlowDown</Code>'
    b"<Message>Please reduce your request rate.</Message></Error>"
)
_REFUSED = (
    b'<?xml version="1.0" encoding="UTF-8"?><Error><Code>InvalidAccessKeyId</Code>'
    b"<Message>The key " + KEY.encode() + b" does not exist.</Message></Error>"
)


class Fault(Enum):
    """What becomes of a request; "after" means that the server has handled it."""

    SLOW_DOWN = auto()
    SLOW_DOWN_AFTER = auto()
    RESET = auto()
    RESET_AFTER = auto()
    CUT_SHORT = auto()
    REFUSE = auto()
    STALL = auto()


@dataclass(frozen=True)
class Request:
    """What `S3Server.inject` is asked about: `path` is `/bucket/key`, with its query."""

    method: str
    path: str

    @property
    def kind(self) -> str:
        """The method, or LIST, CREATE_PARTS, PART, COMPLETE_PARTS, DELETE_MANY, LIST_PARTS."""
        query = self.path.partition("?")[2]
        return {
            ("GET", "list-type"): "LIST",
            ("GET", "uploads"): "LIST_PARTS",
            ("POST", "uploads"): "CREATE_PARTS",
            ("PUT", "partNumber"): "PART",
            ("PUT", "uploadId"): "PART",
            ("POST", "uploadId"): "COMPLETE_PARTS",
            ("DELETE", "uploadId"): "ABORT_PARTS",
            ("POST", "delete"): "DELETE_MANY",
        }.get((self.method, query.partition("=")[0].partition("&")[0]), self.method)


Inject = Callable[[Request], Fault | None]


class RandomFaults:
    """Lets a share of requests fail, in one of the ways given, and stalls at most one of them."""

    def __init__(
        self,
        share: float,
        *,
        seed: int = 0,
        kinds: tuple[Fault, ...] = tuple(set(Fault) - {Fault.STALL, Fault.REFUSE}),
        stall_at: int | None = None,
    ) -> None:
        self._random = random.Random(seed)
        self._share = share
        self._kinds = sorted(kinds, key=lambda fault: fault.value)
        self._stall_at = stall_at
        self._requests = 0
        self._lock = threading.Lock()
        self.injected: Counter[Fault] = Counter()

    def __call__(self, _: Request) -> Fault | None:
        with self._lock:
            self._requests += 1
            fault = None
            if self._requests == self._stall_at:
                fault = Fault.STALL
            elif self._random.random() < self._share:
                fault = self._random.choice(self._kinds)
            if fault:
                self.injected[fault] += 1
            return fault


class Once:
    """Lets the first request of a kind fail whose path contains a text."""

    def __init__(self, fault: Fault, kind: str, part: str = "") -> None:
        self._fault, self._kind, self._part = fault, kind, part
        self._lock = threading.Lock()
        self.happened = False

    def __call__(self, request: Request) -> Fault | None:
        with self._lock:
            if self.happened or request.kind != self._kind or self._part not in request.path:
                return None
            self.happened = True
            return self._fault


class S3Server:
    """moto and the proxy before it; `endpoint` is where clients connect.

    Attributes:
        inject: Says what becomes of each request; None for no faults.
        stall_s: Seconds that a stalled request waits before it is handled.
        counts: Requests by `Request.kind`, those that fail included.
    """

    def __init__(self, log: Path) -> None:
        self.inject: Inject | None = None
        self.stall_s = 30.0
        self.counts: Counter[str] = Counter()
        self.lock = threading.Lock()
        self.create_lock = threading.Lock()
        self.upstream = free_port()
        self._moto = _start_moto(self.upstream, log)
        self._proxy = _Proxy(self)
        self.endpoint = f"http://127.0.0.1:{self._proxy.server_port}"
        threading.Thread(target=self._proxy.serve_forever, args=(0.05,), daemon=True).start()

    def storage_options(self) -> dict[str, object]:
        """Return what an s3fs file system needs to talk to this server."""
        return {
            "key": KEY,
            "secret": SECRET,
            "client_kwargs": {"endpoint_url": self.endpoint, "region_name": "us-east-1"},
        }

    def create_bucket(self) -> str:
        """Make a bucket of a new name and return the name."""
        name = f"bucket-{uuid.uuid4().hex[:10]}"
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream)
        connection.request("PUT", f"/{name}", headers=_UNSIGNED)
        answer = connection.getresponse()
        assert answer.status == 200, answer.read()
        connection.close()
        return name

    def close(self) -> None:
        """Stop the proxy and the server."""
        self._proxy.shutdown()
        self._proxy.server_close()
        self._moto.terminate()
        self._moto.wait(20)


_UNSIGNED = {
    "Authorization": f"AWS4-HMAC-SHA256 Credential={KEY}/20250101/us-east-1/s3/aws4_request"
}


class _Proxy(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: S3Server) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def shutdown_request(self, request: socket.socket) -> None:
        """Close a connection; one that lingers for 0 s is reset, without a farewell before."""
        if request.fileno() >= 0 and request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay quiet when a client goes away; anything else is a mistake in this module."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = -1
    disable_nagle_algorithm = True
    server: _Proxy
    _upstream: http.client.HTTPConnection | None = None

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def handle_expect_100(self) -> bool:
        """Let the client go on at once: `wfile` is buffered."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def finish(self) -> None:
        """Close the connection to the server with that of the client."""
        if self._upstream:
            self._upstream.close()
        super().finish()

    def _handle(self) -> None:
        owner = self.server.owner
        body = self._body()
        request = Request(self.command, self.path)
        with owner.lock:
            owner.counts[request.kind] += 1
        fault = owner.inject(request) if owner.inject else None
        if fault is Fault.RESET:
            self._reset()
        elif fault is Fault.SLOW_DOWN:
            self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
        elif fault is Fault.REFUSE:
            self._answer(403, [("Content-Type", "application/xml")], _REFUSED)
        else:
            if fault is Fault.STALL:
                time.sleep(owner.stall_s)
            status, headers, content = self._ask_server(body)
            if fault is Fault.RESET_AFTER:
                self._reset()
            elif fault is Fault.SLOW_DOWN_AFTER:
                self._answer(503, [("Content-Type", "application/xml")], _SLOW_DOWN)
            else:
                self._answer(status, headers, content, cut_short=fault is Fault.CUT_SHORT)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = _handle

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        chunks = []
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        while self.rfile.readline().strip():
            pass
        return b"".join(chunks)

    def _ask_server(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        if body or self.command in ("PUT", "POST"):
            headers["Content-Length"] = str(len(body))
        with ExitStack() as stack:
            if "If-None-Match" in self.headers and self.command != "GET":
                # moto looks first and writes then; a real store does both in one step.
                stack.enter_context(self.server.owner.create_lock)
            self._upstream = self._upstream or http.client.HTTPConnection(
                "127.0.0.1", self.server.owner.upstream
            )
            self._upstream.request(self.command, self.path, body or None, headers)
            answer = self._upstream.getresponse()
            content = answer.read()
        kept = [(k, v) for k, v in answer.getheaders() if k.lower() not in _HOP_BY_HOP]
        if self.command == "HEAD":
            kept.append(("Content-Length", answer.getheader("Content-Length", "0")))
        return answer.status, kept, content

    def _answer(
        self,
        status: int,
        headers: list[tuple[str, str]],
        content: bytes,
        *,
        cut_short: bool = False,
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            self.send_header(name, value)
        if not any(name == "Content-Length" for name, _ in headers):
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content[: len(content) // 2] if cut_short else content)
        self.close_connection |= cut_short
        self.wfile.flush()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True


def _start_moto(port: int, log: Path) -> "subprocess.Popen[bytes]":
    """Start moto's server and wait until it answers."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            env={**os.environ, "MOTO_S3_DEFAULT_MAX_KEYS": str(PAGE)},
            stdout=output,
            stderr=output,
        )
    wait_until_it_answers(process, port, log)
    return process
