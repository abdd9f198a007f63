"""HTTP of the tests' teacher: connections that are reset, downloads that are slow or break."""

import socket
import struct
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Request:
    """An HTTP request; names of headers are matched in any case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """An HTTP answer; what it is decides which faults can befall it."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    creates: bool = False
    """It tells of a job just made, so it can get lost."""
    is_download: bool = False
    """It can be slow, or break."""


class Refused(Exception):
    """A request that is answered with an error, which the wire writes in its own way."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(status, reason, message)
        self.status, self.reason, self.message = status, reason, message


class Owner(Protocol):
    """Who answers requests, and says which of them meet a fault."""

    def respond(self, request: Request) -> Response:
        """Return the answer to a request."""

    def overloaded(self, request: Request, fault: str) -> Response:
        """Return the answer of a service that has too much to do."""

    def http_fault(self, of: str, request: Request) -> str | None:
        """Return the fault of a kind (http, create or download) that befalls a request."""


class HttpServer(ThreadingHTTPServer):
    """Serves what an owner answers, on a free port of the loopback."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, owner: Owner) -> None:
        self.owner = owner
        super().__init__(("127.0.0.1", 0), _Handler)

    def shutdown_request(self, request: Any) -> None:
        """Close a connection; one that lingers for 0 s is reset, without a farewell before."""
        if request.fileno() >= 0 and request.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER):
            request.close()
        else:
            super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: object) -> None:
        """Stay quiet when a client goes away; anything else is a mistake in the tests."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: HttpServer

    def log_message(self, *_: object) -> None:
        """Log nothing."""

    def _handle(self) -> None:
        owner, url = self.server.owner, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.command, url.path, dict(parse_qsl(url.query)), headers, body)
        fault = owner.http_fault("http", request)
        if fault == "resets":
            self._reset()
            return
        response = owner.overloaded(request, fault) if fault else owner.respond(request)
        if response.creates and owner.http_fault("create", request):
            self._reset()
        elif response.is_download:
            self._send(response, owner.http_fault("download", request))
        else:
            self._send(response)

    do_GET = do_POST = do_DELETE = _handle

    def _send(self, response: Response, fault: str | None = None) -> None:
        self.send_response_only(response.status)
        for name, value in response.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(response.body)))
        self.end_headers()
        if fault == "broken_downloads":
            self.wfile.write(response.body[: len(response.body) // 2])
            self._reset()
        elif fault == "slow_downloads":
            step = len(response.body) // 5 + 1
            for start in range(0, len(response.body), step):
                self.wfile.write(response.body[start : start + step])
                time.sleep(0.02)
        else:
            self.wfile.write(response.body)

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
