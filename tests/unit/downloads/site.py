"""A web server on the loopback that holds an archive and answers klines, and goes wrong as it is told."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import threading
import zipfile
from collections import defaultdict, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from dcacore.ports.candle_archive import Piece
from tests.unit.candles.market import Row

NAMES: Final = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,taker_buy_quote_volume,ignore"
)
HTML: Final = b"<!DOCTYPE html><html><body>Please log in</body></html>"

Fault = Callable[["Handler", bytes], None]
"""Answers in the place of the right answer, whose body it gets."""


class Site:
    """What the server has and what it was asked.

    Attributes:
        url: its address.
        files: contents by path.
        rows: the candles that it answers as klines.
        now_ms: its clock.
        listed: the pairs whose klines it answers.
        headers: sent with each right answer.
        faults: by path (without the query), what goes wrong next, in order.
        requests: paths with queries, in the order in which they came.
        most_at_once: how many were being answered at a time at most.
        ended: set at the end; an answer that never comes waits for it.
    """

    def __init__(self) -> None:
        self.url = ""
        self.files: dict[str, bytes] = {}
        self.rows: list[Row] = []
        self.step = 60_000
        self.now_ms = 0
        self.listed = {"BTCUSDT"}
        self.headers: dict[str, str] = {}
        self.faults: dict[str, deque[Fault]] = defaultdict(deque)
        self.requests: list[str] = []
        self.most_at_once = 0
        self.ended = threading.Event()
        self._lock = threading.Lock()
        self._at_once = 0

    @contextmanager
    def counted(self, path: str) -> Iterator[None]:
        with self._lock:
            self.requests.append(path)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1

    def hold(self, piece: Piece, data: bytes, sha256: str | None = None) -> None:
        """Put *data* into the archive as the file for *piece*, with its own checksum or a given one."""
        path = path_of(piece)
        self.files[path] = data
        checksum = sha256 or hashlib.sha256(data).hexdigest()
        self.files[f"{path}.CHECKSUM"] = f"{checksum}  {piece.name}\n".encode()

    def fail(self, path: str, *faults: Fault) -> None:
        """Let the next answers for *path* go wrong so."""
        self.faults[path].extend(faults)

    def asked(self, part: str) -> int:
        """Return how many requests had *part* in their path or query."""
        return sum(part in request for request in self.requests)

    def answer(self, path: str, query: Mapping[str, Sequence[str]]) -> tuple[int, bytes]:
        if path == "/api/v3/time":
            return 200, json.dumps({"serverTime": self.now_ms}).encode()
        if path == "/api/v3/klines":
            return self._klines({name: values[0] for name, values in query.items()})
        return (200, self.files[path]) if path in self.files else (404, b"<Code>NoSuchKey</Code>")

    def _klines(self, query: Mapping[str, str]) -> tuple[int, bytes]:
        if query["symbol"] not in self.listed:
            return 400, b'{"code":-1121,"msg":"Invalid symbol."}'
        begins, ends, limit = int(query["startTime"]), int(query["endTime"]), int(query["limit"])
        found = [row for row in self.rows if begins <= row[0] <= min(ends, self.now_ms)][:limit]
        return 200, json.dumps([kline(row, self.step) for row in found]).encode()


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    protocol_version = "HTTP/1.1"
    site: Site

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        with self.site.counted(self.path):
            status, body = self.site.answer(asked.path, parse_qs(asked.query))
            faults = self.site.faults[asked.path]
            if faults:
                faults.popleft()(self, body)
            else:
                self.send(status, body, self.site.headers)

    def send(self, status: int, body: bytes, headers: Mapping[str, str], length: int | None = None) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


class Server(ThreadingHTTPServer):
    """Serves in threads, and takes it that a client hangs up in the middle: one that has read enough does."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


def status(code: int, headers: Mapping[str, str] | None = None, body: bytes = b"") -> Fault:
    """Return a fault that answers *code*."""
    return lambda handler, _: handler.send(code, body, headers or {})


def html(handler: Handler, _: bytes) -> None:
    """Answer a web page, as the login of a hotel does."""
    handler.send(200, HTML, {"Content-Type": "text/html"})


def cut(handler: Handler, body: bytes) -> None:
    """Break off half-way."""
    handler.send(200, body[: len(body) // 2], {}, length=len(body))
    handler.close_connection = True


def silence(handler: Handler, _: bytes) -> None:
    """Answer nothing."""
    handler.site.ended.wait(60)
    handler.close_connection = True


def instead(body: bytes) -> Fault:
    """Return a fault that answers *body*."""
    return lambda handler, _: handler.send(200, body, {})


@contextmanager
def serving() -> Iterator[Site]:
    """Yield a server that runs until the block ends."""
    site = Site()
    server = Server(("127.0.0.1", 0), type("Bound", (Handler,), {"site": site, "timeout": 60}))
    site.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        site.ended.set()
        server.shutdown()
        thread.join()
        server.server_close()


def path_of(piece: Piece) -> str:
    """Return where the archive has the file for *piece*."""
    kind = "monthly" if len(piece.period) == len("2021-04") else "daily"
    return f"/data/spot/{kind}/klines/{piece.pair}/{piece.interval}/{piece.name}"


def kline(row: Row, step: int) -> list[object]:
    """Return *row* as the exchange answers it: times in milliseconds, prices and volumes as text."""
    return [row[0], *map(repr, row[1:6]), row[0] + step - 1, "1.0", 7, "0.5", "0.5", "0"]


def zipped(content: bytes, name: str) -> bytes:
    """Return a zip with one file."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return packed.getvalue()


def csv_of(rows: Sequence[Row], step: int, *, per_ms: int = 1, header: bool = False) -> bytes:
    """Return *rows* as the archive has them: in milliseconds, or with *per_ms* 1000 in microseconds."""
    lines = [NAMES] if header else []
    for row in rows:
        fields = kline(row, step)
        fields[0], fields[6] = row[0] * per_ms, (row[0] + step) * per_ms - 1
        lines.append(",".join(map(str, fields)))
    return ("\n".join(lines) + "\n").encode()


def packed(piece: Piece, rows: Sequence[Row], step: int, *, per_ms: int = 1, header: bool = False) -> bytes:
    """Return the file of the archive for *piece*."""
    inside = [row for row in rows if piece.begins <= row[0] < piece.ends]
    return zipped(csv_of(inside, step, per_ms=per_ms, header=header), piece.name.removesuffix("zip") + "csv")
