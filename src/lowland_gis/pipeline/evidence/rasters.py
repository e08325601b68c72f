"""Rasters stay files: where each one is now, and whether it is still the file that was delivered."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError
from lowland_gis.files.source import file_digest
from lowland_gis.pipeline.base.runs import Version

GONE = "gone"
_AGAIN = "Put the delivered file back, or deliver this one with: lowland ingest"


@dataclass(frozen=True)
class DeliveredRaster:
    """A raster as it was delivered: its layer, where it was, and the digest of its bytes."""

    version_id: int
    layer: str
    recorded: str
    sha256: str

    def place(self, folder: Path) -> Path:
        """Return where the file is: where it was recorded, or in the same place below a project's folder on another machine."""
        path = Path(self.recorded)
        if not path.exists():
            for number in range(1, len(path.parts)):
                moved = folder.joinpath(*path.parts[number:])
                if moved.is_file():
                    return moved
        return path

    def found(self, folder: Path) -> str:
        """Return the digest of the file as it is now, or `gone`."""
        path = self.place(folder)
        return file_digest(path) if path.is_file() else GONE

    def file(self, folder: Path) -> str:
        """Return where the file is, held against the digest of its delivery.

        Raises:
            InputRefusedError: it is gone, or it is another file than the one that was delivered.
        """
        found, path = self.found(folder), self.place(folder)
        if found == GONE:
            raise InputRefusedError(
                f"{path}: the raster that was delivered ({self.layer} version {self.version_id}) is not there any more. {_AGAIN}"
                f" {self.layer} FILE"
            )
        if found != self.sha256:
            raise InputRefusedError(
                f"{path}: this is not the raster that was delivered ({self.layer} version {self.version_id}): its digest is"
                f" {found[:12]}…, not {self.sha256[:12]}…, so its values would stand under the wrong delivery. {_AGAIN}"
                f" {self.layer} {path}"
            )
        return str(path)


def delivered_rasters(connection: Connection, versions: Iterable[Version]) -> list[DeliveredRaster]:
    """Return the rasters of some deliveries, in their order."""
    rows = connection.execute(
        "SELECT version_id, v.layer, r.path, s.sha256 FROM land.raster r JOIN land.layer_version v USING (version_id)"
        " JOIN land.source s USING (source_id) WHERE version_id = ANY(%s) ORDER BY version_id",
        [[version.version_id for version in versions]],
    ).fetchall()
    return [DeliveredRaster(*row) for row in rows]
