"""An object store on this machine: a folder whose files answer to what clients of S3 ask: what is there, how large it is, and parts of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

_LIST = (
    '<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>{bucket}</Name>'
    "<Prefix>{prefix}</Prefix><KeyCount>{count}</KeyCount><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>"
)
_ROW = (
    '<Contents><Key>{key}</Key><LastModified>2024-01-01T00:00:00.000Z</LastModified><ETag>"{size}"</ETag><Size>{size}</Size>'
    "<StorageClass>STANDARD</StorageClass></Contents>"
)


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, root: Path, *arguments) -> None:
        self.root = root
        super().__init__(*arguments)

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        asked = urlsplit(self.path)
        bucket, _, key = unquote(asked.path).lstrip("/").partition("/")
        options = parse_qs(asked.query)
        if "list-type" in options:
            self._send(200, self._listed(bucket, options.get("prefix", [""])[0]).encode(), body=body)
            return
        file = self.root / bucket / key
        if not (file.is_file() if key else file.is_dir()):
            self._send(404, b"", body=False)
            return
        content = file.read_bytes() if key else b""
        part = self.headers.get("Range")
        if part is None:
            self._send(200, content, body=body)
            return
        first, _, last = part.removeprefix("bytes=").partition("-")
        stop = min(len(content), int(last) + 1) if last else len(content)
        said = {"Content-Range": f"bytes {first}-{stop - 1}/{len(content)}"}
        self._send(206, content[int(first) : stop], body=body, **said)

    def _listed(self, bucket: str, prefix: str) -> str:
        files = sorted(each for each in (self.root / bucket).rglob("*") if each.is_file())
        keys = {each.relative_to(self.root / bucket).as_posix(): each.stat().st_size for each in files}
        rows = [_ROW.format(key=key, size=size) for key, size in keys.items() if key.startswith(prefix)]
        return _LIST.format(bucket=bucket, prefix=prefix, count=len(rows), rows="".join(rows))

    def _send(self, status: int, content: bytes, *, body: bool, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/xml")
        self.send_header("ETag", '"x"')
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *arguments) -> None:
        """Say nothing."""


@contextmanager
def store(root: Path) -> Iterator[str]:
    """Yield the options of a URI that leads to the folder, whose folders are the buckets."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Answers, root))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"endpoint_override=127.0.0.1:{server.server_port}&scheme=http&region=us-east-1"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
