"""A small Hugging Face Hub on the loopback: enough of its routes for the real clients to read.

It behaves as the Hub does where clients can tell: large files are LFS objects that a redirect to
another host serves, trees come in pages, and who may not see a repository is told that there is
none. Written from the clients' side: https://huggingface.co/docs/hub/api and `huggingface_hub`.
"""

import hashlib
import json
import multiprocessing
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urlsplit

import pytest

TOKEN = "hf_s3cr3tTokenOfTheTests"
LFS_ENDINGS = (".safetensors", ".parquet", ".gz", ".zst")
DATE = "2026-01-02T03:04:05.000Z"

_API = re.compile(r"/api/(models|datasets)/([^/]+/[^/]+)(?:/(revision|tree|paths-info)/(.+))?")
_RESOLVE = re.compile(r"/(datasets/)?([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Repository:
    """A repository: its commits, each the bytes of all its files, and its branches and tags."""

    private: bool = False
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """A request that was answered."""

    method: str
    path: str
    status: int
    authorization: str | None


class Refused(Exception):
    """An answer that is an error, with the headers that tell clients which."""

    def __init__(self, status: int, code: str = "", message: str = "") -> None:
        super().__init__(status, code, message)
        named = {"X-Error-Code": code, "X-Error-Message": message}
        self.status = status
        self.headers = {name: value for name, value in named.items() if value}


class HubServer:
    """A Hub on a free port.

    Attributes:
        requests: Everything that was asked, in order.
        page_entries: Entries of a tree on one page.
        fails: Whether a request fails, by its method and path.
        fails_with: Status of requests that fail; 0 breaks the connection.
    """

    def __init__(self, home: Path) -> None:
        self._home = home
        self._repositories: dict[tuple[str, str], Repository] = {}
        self._lock = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.port = self._server.server_address[1]
        self.requests: list[Request] = []
        self.page_entries = 1_000
        self.fails: Callable[[str], object] = lambda _: False
        self.fails_with = 503

    @contextmanager
    def running(self) -> Iterator["HubServer"]:
        """Serve until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self.stop()
            thread.join()

    def stop(self) -> None:
        """Serve no more: from now on there is no network."""
        self._server.shutdown()
        self._server.server_close()

    def publish(
        self,
        kind: str,
        name: str,
        content: Path | Mapping[str, bytes],
        *,
        branch: str = "main",
        private: bool = False,
    ) -> str:
        """Make a commit with exactly these files, and return its 40 digits.

        Args:
            kind: `models` or `datasets`.
            name: As in `org/name`.
            content: A folder, or bytes by path.
            branch: The branch, or tag, that then points at the commit.
            private: Whether the repository wants TOKEN.
        """
        files = _files(content) if isinstance(content, Path) else dict(content)
        repository = self._repositories.setdefault((kind, name), Repository())
        repository.private = private
        seed = json.dumps([len(repository.commits), kind, name, sorted(files)])
        commit = hashlib.sha1(seed.encode()).hexdigest()
        repository.commits[commit] = files
        repository.refs[branch] = commit
        return commit

    def call(self, function: Callable[..., Any], *args: Any, **environment: str) -> Any:
        """Return what a function of a test module returns in a fresh process that knows this Hub.

        The clients read their environment when they are imported, so only a new process will do.
        All calls share one cache of downloads.
        """
        with pytest.MonkeyPatch.context() as patch:
            for name in ("HF_TOKEN", "HF_HUB_CACHE", "HF_DATASETS_CACHE", "TRANSFORMERS_OFFLINE"):
                patch.delenv(name, raising=False)
            ours = {
                "HF_ENDPOINT": f"http://127.0.0.1:{self.port}",
                "HF_HOME": str(self._home),
                "HF_HUB_OFFLINE": "0",
                "HF_HUB_DISABLE_TELEMETRY": "1",
                "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            }
            for name, value in (ours | environment).items():
                patch.setenv(name, value)
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, mp_context=context) as pool:
                return pool.submit(function, *args).result()

    def asked(self, pattern: str) -> list[Request]:
        """Return the requests whose method and path match a regular expression."""
        return [r for r in self.requests if re.search(pattern, f"{r.method} {r.path}")]

    def log(self, request: Request) -> None:
        """Count an answer."""
        with self._lock:
            self.requests.append(request)

    def repository(self, kind: str, name: str, authorization: str | None) -> Repository:
        """Return a repository that the bearer of a token may see."""
        if authorization not in (None, f"Bearer {TOKEN}"):
            raise Refused(401, message="Invalid credentials in Authorization header")
        found = self._repositories.get((kind, name))
        if found is None or (found.private and not authorization):
            if authorization:
                raise Refused(404, "RepoNotFound", "Repository not found")
            raise Refused(401, message="Invalid username or password.")
        return found

    def blob(self, sha256: str) -> bytes:
        """Return the content of an LFS object."""
        return next(
            data
            for repository in self._repositories.values()
            for files in repository.commits.values()
            for data in files.values()
            if hashlib.sha256(data).hexdigest() == sha256
        )


def commit_of(repository: Repository, revision: str) -> str:
    """Return the commit that a branch, tag or commit names."""
    commit = repository.refs.get(revision, revision)
    if commit not in repository.commits:
        raise Refused(404, "RevisionNotFound", f"Invalid rev id: {revision}")
    return commit


def tree(files: Mapping[str, bytes], path: str, *, recursive: bool, expand: bool) -> list[Any]:
    """Return the entries below a path; of a file, the file itself."""
    if path in files:
        return [entry(files, path, expand=expand)]
    prefix = f"{path}/" if path else ""
    below = {name for name in files if name.startswith(prefix)}
    if path and not below:
        raise Refused(404, "EntryNotFound", f"{path} does not exist")
    folders = {str(parent) for name in below for parent in PurePosixPath(name).parents}
    names = below | {name for name in folders - {"."} if name.startswith(prefix)}
    return [
        entry(files, name, expand=expand)
        for name in sorted(names)
        if recursive or "/" not in name[len(prefix) :]
    ]


def entry(files: Mapping[str, bytes], name: str, *, expand: bool) -> dict[str, Any]:
    """Return what the Hub says of a file or a folder."""
    commit = {"lastCommit": {"id": "0" * 40, "title": "a commit", "date": DATE}} if expand else {}
    if name not in files:
        tree_id = hashlib.sha1(name.encode()).hexdigest()
        return {"type": "directory", "oid": tree_id, "size": 0, "path": name, **commit}
    data, lfs = files[name], {}
    stored = data
    if name.endswith(LFS_ENDINGS):
        sha256 = hashlib.sha256(data).hexdigest()
        stored = f"oid sha256:{sha256}\nsize {len(data)}\n".encode()
        lfs = {"lfs": {"oid": sha256, "size": len(data), "pointerSize": len(stored)}}
    return {
        "type": "file",
        "oid": hashlib.sha1(b"blob %d\0" % len(stored) + stored).hexdigest(),
        "size": len(data),
        "path": name,
        **lfs,
        **commit,
    }


def _files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _handler(hub: HubServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            if hub.fails(f"{self.command} {self.path}"):
                self._answer(hub.fails_with, b"", {})
                return
            try:
                self._route(urlsplit(self.path), parse_qs(form))
            except Refused as refused:
                self._answer(refused.status, b"", refused.headers)

        do_HEAD = do_POST = do_GET

        def log_message(self, *_: object) -> None:
            """Keep the terminal of the tests clean."""

        def _route(self, url: Any, form: dict[str, list[str]]) -> None:
            if url.path.startswith("/cdn/"):
                self._data(hub.blob(url.path.rpartition("/")[2]), {})
            elif match := _API.fullmatch(url.path):
                self._api(*match.groups(), parse_qs(url.query) | form)
            elif match := _RESOLVE.fullmatch(url.path):
                self._resolve(*match.groups())
            else:
                raise Refused(404, message="Not found")

        def _api(
            self, kind: str, name: str, route: str | None, rest: str | None, query: dict[str, Any]
        ) -> None:
            repository = hub.repository(kind, name, self.headers.get("Authorization"))
            revision, _, path = (rest or "main").partition("/")
            commit = commit_of(repository, unquote(revision))
            files, expand = repository.commits[commit], query.get("expand") == ["true"]
            if route == "tree":
                recursive = query.get("recursive") == ["true"]
                self._page(tree(files, unquote(path), recursive=recursive, expand=expand), query)
            elif route == "paths-info":
                known = [path for path in query["paths"] if tree_has(files, path)]
                self._json([entry(files, path, expand=expand) for path in known])
            else:
                siblings = [{"rfilename": path} for path in files]
                about = {"id": name, "sha": commit, "private": repository.private, "tags": []}
                self._json(about | {"siblings": siblings, "lastModified": DATE})

        def _page(self, entries: list[Any], query: dict[str, list[str]]) -> None:
            start = int(query.get("cursor", ["0"])[0])
            end = start + hub.page_entries
            asked = "&".join(f"{key}={value[0]}" for key, value in query.items() if key != "cursor")
            path = self.path.partition("?")[0]
            link = f'<http://127.0.0.1:{hub.port}{path}?{asked}&cursor={end}>; rel="next"'
            self._json(entries[start:end], {"Link": link} if end < len(entries) else {})

        def _resolve(self, dataset: str | None, name: str, revision: str, path: str) -> None:
            kind, path = "datasets" if dataset else "models", unquote(path)
            repository = hub.repository(kind, name, self.headers.get("Authorization"))
            commit = commit_of(repository, unquote(revision))
            files = repository.commits[commit]
            if path not in files:
                raise Refused(404, "EntryNotFound", "Entry not found")
            about, headers = entry(files, path, expand=False), {"X-Repo-Commit": commit}
            if "lfs" not in about:
                self._data(files[path], headers | {"ETag": f'"{about["oid"]}"'})
                return
            sha256 = about["lfs"]["oid"]
            headers |= {"X-Linked-Size": str(about["size"]), "X-Linked-Etag": f'"{sha256}"'}
            # Another host name, so that clients must not send their token there.
            location = f"http://localhost:{hub.port}/cdn/{sha256}?Signature={quote('s1gned=')}"
            self._answer(302, b"", headers | {"Location": location})

        def _data(self, data: bytes, headers: dict[str, str]) -> None:
            headers = {"Accept-Ranges": "bytes"} | headers
            wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range") or "")
            if not wanted:
                self._answer(200, data, headers)
                return
            start, end = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
            if start > end:
                raise Refused(416)
            headers["Content-Range"] = f"bytes {start}-{end}/{len(data)}"
            self._answer(206, data[start : end + 1], headers)

        def _json(self, value: object, headers: Mapping[str, str] | None = None) -> None:
            typed = {"Content-Type": "application/json"} | dict(headers or {})
            self._answer(200, json.dumps(value).encode(), typed)

        def _answer(self, status: int, body: bytes, headers: Mapping[str, str]) -> None:
            authorization = self.headers.get("Authorization")
            hub.log(Request(self.command, self.path, status, authorization))
            if not status:
                self.close_connection = True
                return
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

    return Handler


def tree_has(files: Mapping[str, bytes], path: str) -> bool:
    """Return whether a path is that of a file or a folder."""
    return path in files or any(name.startswith(f"{path}/") for name in files)
