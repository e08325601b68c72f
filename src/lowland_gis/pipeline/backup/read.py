"""Read a backup: every part against its digest, and the registry's chain anew from its rows, without a database."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.sealed import Sealed, Sum, opened_sealed
from lowland_gis.pipeline.backup.manifest import Manifest, Part, read_manifest
from lowland_gis.pipeline.backup.proof import Proof, prove
from lowland_gis.pipeline.base.telling import Watch, unwatched


@dataclass(frozen=True)
class Backup:
    """A backup that is open: sealed, of this program or an older one, its parts just those that it names."""

    sealed: Sealed
    manifest: Manifest

    def blocks(self, part: Part) -> Iterator[bytes]:
        """Yield the content of a part; at its end it is what was written, or refused.

        Raises:
            InputRefusedError: it is another content than its digest says.
        """
        summed, rows = Sum(), 0
        for block in self.sealed.blocks(part.member, part.size):
            summed.add(block)
            rows += block.count(b"\n")
            yield block
        if (summed.size, summed.sha256) != (part.size, part.sha256) or (
            part.path is None and rows != part.rows
        ):
            raise InputRefusedError(
                f"{self.sealed.path}: its part {part.member} is not what the manifest says of it (rows {rows:,} of {part.rows:,}, bytes"
                f" {summed.size:,} of {part.size:,}, or another digest), so nothing was taken from it. Use another copy of the backup."
            )

    def files(self) -> dict[str, bytes]:
        """Return the files of the project by their names below its folder."""
        return {part.path: b"".join(self.blocks(part)) for part in self.manifest.files if part.path}


@contextmanager
def opened_backup(path: Path, watch: Watch = unwatched) -> Iterator[Backup]:
    """Open a backup.

    Raises:
        InputRefusedError: it is none, cut short, changed, unsafe, or of a newer program; see `files.sealed` and `manifest`.
    """
    with opened_sealed(path, watch) as sealed:
        yield Backup(sealed, read_manifest(sealed))


@dataclass(frozen=True)
class Verified:
    """What a backup holds, and what was found of its registry."""

    manifest: Manifest
    proof: Proof


def verify_backup(path: Path, *, head: str | None = None, watch: Watch = unwatched) -> Verified:
    """Read every part of a backup and prove its registry: each row against its link, the links one after the other, and the head.

    `head` is one that was kept elsewhere.

    Raises:
        InputRefusedError: as `opened_backup`; or a part is not what its digest says.
    """
    with opened_backup(path, watch) as backup:
        backup.files()
        for table in backup.manifest.tables:
            if not table.name.startswith("registry."):
                for part in table.parts:
                    for _ in backup.blocks(part):
                        pass
        return Verified(backup.manifest, prove(backup.manifest, backup.blocks, head))
