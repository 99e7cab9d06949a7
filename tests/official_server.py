"""A web server of this computer alone that behaves like the official ones on bad days: slow, cut, changed, refusing."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Served:
    """What stands at a path; `cuts`, `statuses` and `waits` hold one value for each coming request, then all goes well."""

    body: bytes
    etag: str = '"uno"'
    modified: str = "Mon, 02 Mar 2026 10:00:00 GMT"
    ranges: bool = True
    heeds_if_range: bool = True
    tells_length: bool = True
    skew: int = 0  # bytes before the asked ones that it sends from
    cuts: list[int] = field(default_factory=list)  # bytes after which the connection is closed
    statuses: list[int] = field(default_factory=list)
    drip_s: float = 0.0  # between single bytes
    location: str = ""
    length: int | None = None  # told instead of the true one


class Office:
    """Paths and what stands at them, and the requests that came: path, Range, If-Range."""

    def __init__(self) -> None:
        self.files: dict[str, Served] = {}
        self.log: list[tuple[str, str, str]] = []
        self.base = ""

    def put(self, path: str, body: bytes, **how) -> str:
        self.files[path] = Served(body, **how)
        return self.base + path


@contextmanager
def opened() -> Iterator[Office]:
    """The server, running until the block ends."""
    office = Office()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            office.log.append((self.path, self.headers.get("Range", ""), self.headers.get("If-Range", "")))
            served = office.files.get(self.path)
            if served is None:
                self.answer(404, b"<html><title>404 No encontrado</title></html>", {})
            elif served.location:
                self.answer(302, b"", {"Location": served.location})
            elif served.statuses:
                self.answer(served.statuses.pop(0), b"", {})
            else:
                self.give(served)

        def give(self, served: Served) -> None:
            asked, same = self.headers.get("Range", ""), self.headers.get("If-Range", "") in ("", served.etag, served.modified)
            start = int(asked[6:-1]) if asked and served.ranges and (same or not served.heeds_if_range) else 0
            start = max(0, start - served.skew)
            headers = {k: v for k, v in (("ETag", served.etag), ("Last-Modified", served.modified)) if v}
            if start >= len(served.body) > 0:
                self.answer(416, b"", {"Content-Range": f"bytes */{len(served.body)}"})
                return
            if start:
                headers["Content-Range"] = f"bytes {start}-{len(served.body) - 1}/{len(served.body)}"
            self.answer(206 if start else 200, served.body[start:], headers, served)

        def answer(self, status: int, body: bytes, headers: dict[str, str], served: Served | None = None) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if served is None or served.tells_length:
                self.send_header("Content-Length", str(len(body) if served is None or served.length is None else served.length))
            self.end_headers()
            upto = served.cuts.pop(0) if served and served.cuts else len(body)
            if not served or not served.drip_s:
                self.wfile.write(body[:upto])
                return
            for i in range(upto):
                self.wfile.write(body[i:i + 1])
                time.sleep(served.drip_s)

        def log_message(self, *_: object) -> None:
            pass

        def finish(self) -> None:  # the other side may have gone
            with suppress(OSError):
                super().finish()

        def handle(self) -> None:
            with suppress(OSError):
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    office.base = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield office
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
