"""A line to PostgreSQL that breaks at COMMIT: a proxy between two unix sockets that passes bytes on until it cuts."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

from psycopg.conninfo import conninfo_to_dict, make_conninfo

# As a statement of its own; "ON COMMIT DROP" stands within others.
COMMIT = b"COMMIT\0"


class Line:
    """Passes connections on; cuts the next one that says COMMIT, after it arrived (`answer`) or before (`order`)."""

    def __init__(self, listening: socket.socket, server: str) -> None:
        self._listening, self._server = listening, server
        self.lost: str | None = None
        # Only a connection that has said this is cut.
        self.marker = b""
        self.cuts = 0
        self.closed_for_good = False

    def serve(self) -> None:
        """Take connections until the socket is closed."""
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            if self.closed_for_good and self.cuts:
                client.close()
                continue
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with socket.socket(socket.AF_UNIX) as server, client:
            server.connect(self._server)
            back = threading.Thread(target=_copy, args=(server, client), daemon=True)
            back.start()
            marked = False
            while sent := client.recv(65536):
                marked = marked or self.marker in sent
                if self.lost is not None and marked and COMMIT in sent:
                    self._cut(client, server, sent)
                    return
                server.sendall(sent)

    def _cut(self, client: socket.socket, server: socket.socket, sent: bytes) -> None:
        lost, self.lost = self.lost, None
        self.cuts += 1
        # The client hears no more from here on.
        client.shutdown(socket.SHUT_RDWR)
        if lost == "answer":
            server.sendall(sent)
        server.shutdown(socket.SHUT_WR)
        # The server ends its side when it has done what it was told.
        with contextlib.suppress(OSError):
            while server.recv(65536):
                pass


def _copy(server: socket.socket, client: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while answer := server.recv(65536):
            client.sendall(answer)


@contextlib.contextmanager
def breaking_line(dsn: str) -> Iterator[tuple[str, Line]]:
    """Yield the connection string of a line to the same database, and the line."""
    fields = conninfo_to_dict(dsn)
    name = f".s.PGSQL.{fields['port']}"
    with (
        tempfile.TemporaryDirectory(prefix="line-", dir="/tmp") as folder,
        socket.socket(socket.AF_UNIX) as listening,
    ):
        listening.bind(str(Path(folder) / name))
        listening.listen()
        line = Line(listening, str(Path(str(fields["host"])) / name))
        threading.Thread(target=line.serve, daemon=True).start()
        yield make_conninfo(dsn, host=folder), line
        listening.shutdown(socket.SHUT_RDWR)
