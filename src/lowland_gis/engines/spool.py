"""The polygons of a layer in bounded memory: up to a limit as they are, beyond it with their vertices in a temporary file."""

from __future__ import annotations

import tempfile
import threading
from types import TracebackType
from typing import IO, Self

import numpy as np
import numpy.typing as npt

from lowland_gis.analysis.overlay.rings import Rings, gathered, joined, taken
from lowland_gis.errors import InputRefusedError

# So many bytes of vertices of a layer stay in memory; a polygon of 50 vertices has 800.
KEPT_BYTES = 600_000_000
_VERTEX_BYTES = 16

Floats = npt.NDArray[np.float64]


class Spool:
    """Takes polygons batch by batch, then gives them back in any order, as often as wanted. Use it in a `with` block.

    Several threads may ask for room and fill it; one adds the batches in their order.
    """

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        """Begin without polygons; up to `kept_bytes` of vertices stay in memory."""
        # Only what is written to is really taken from the system.
        self._xy = np.empty((kept_bytes // _VERTEX_BYTES, 2))
        self._vertices = 0
        self._lock = threading.Lock()
        self._parts: list[Rings] = []
        self._file: IO[bytes] | None = None
        self._filed_from = 0

    def __enter__(self) -> Self:
        """Return the spool."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Let the polygons go, and the temporary file."""
        self._xy, self._parts = np.empty((0, 2)), []
        if self._file is not None:
            self._file.close()

    @property
    def in_memory(self) -> bool:
        """Return whether all vertices are in memory."""
        return self._file is None

    @property
    def described(self) -> Rings:
        """Return boxes, areas and rings of all polygons; their vertices too where these are in memory."""
        self._settle()
        if len(self._parts) != 1:
            self._parts = [joined(self._parts)]
        xy = self._xy[: self._vertices] if self.in_memory else self._xy[:0]
        return self._parts[0]._replace(xy=xy)

    def room(self, vertices: int) -> Floats:
        """Return where vertices may be written that are added later: then they need not be copied."""
        with self._lock:
            start, after = self._vertices, self._vertices + vertices
            if self._file is not None or after > len(self._xy):
                return np.empty((vertices, 2))
            self._vertices = after
        return self._xy[start:after]

    def add(self, batch: Rings) -> None:
        """Take a batch of polygons.

        Raises:
            InputRefusedError: the temporary folder is full.
        """
        start = self._place(batch.xy)
        self._parts.append(batch._replace(xy=self._xy[:0], ring_start=batch.ring_start + start))

    def taken(self, rows: npt.NDArray[np.intp]) -> Rings:
        """Return some polygons in the order of `rows`."""
        rings = self.described
        if self._file is None:
            return taken(rings, rows)
        xy = np.memmap(self._file, dtype=np.float64, mode="r").reshape(-1, 2)
        return gathered(rings._replace(xy=xy), rows)

    def _place(self, xy: Floats) -> int:
        """Return where vertices begin among all, after they were copied there if they do not lie there."""
        start = _position(xy, self._xy)
        if start >= 0:
            return start
        with self._lock:
            start, after = self._vertices, self._vertices + len(xy)
            self._vertices = after
        if self._file is None and after <= len(self._xy):
            self._xy[start:after] = xy
        else:
            self._write(xy, start)
        return start

    def _settle(self) -> None:
        """Write what is in memory to the file, where there is one; before, some of it may not be filled yet."""
        if self._file is not None and len(self._xy):
            self._write(self._xy[: self._filed_from], 0)
            self._xy = np.empty((0, 2))
            self._file.flush()

    def _write(self, xy: Floats, start: int) -> None:
        try:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="lowland-rings-")  # noqa: SIM115 - closed in __exit__
                self._filed_from = start
            self._file.seek(start * _VERTEX_BYTES)
            xy.tofile(self._file)
        except OSError as error:
            raise InputRefusedError(
                f"The temporary folder {tempfile.gettempdir()} cannot hold the vertices ({error.strerror}), so nothing was"
                " computed. Free some space there, or name another folder: TMPDIR=/big/folder lowland …"
            ) from error


def _position(xy: Floats, within: Floats) -> int:
    """Return at which row of another array an array lies, −1 where it is none of its rows."""
    rows = (xy.ctypes.data - within.ctypes.data) // _VERTEX_BYTES
    return rows if len(xy) and 0 <= rows < len(within) else -1
