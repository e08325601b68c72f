"""Whose cluster it is: each carries the id and the folder of its project, so that a project that was moved finds its own."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from lowland_gis.db.private.paths import Cluster
from lowland_gis.errors import LowlandError, listed
from lowland_gis.files.whole import write_text

# In the folder of the project, and in that of the cluster.
ID_FILE = Path(".lowland") / "project-id"
RECORD = "project.json"


@dataclass(frozen=True)
class Owned:
    """A cluster of another folder: where it lies, and what it says of its project; None where an older lowland made it."""

    home: Path
    project_id: str | None
    folder: Path | None

    @property
    def is_left(self) -> bool:
        """Say whether its project is not where it was, as far as is known."""
        return self.folder is None or not self.folder.is_dir()

    def is_of(self, project_id: str | None) -> bool:
        """Say whether it is that of a project which has been moved or copied, by its id."""
        return project_id is not None and self.project_id == project_id

    @property
    def has_its_project(self) -> bool:
        """Say whether the project of its id is where it was."""
        return self.folder is not None and _id_in(self.folder) == self.project_id


def claim(cluster: Cluster) -> None:
    """Write into the cluster whose it is, and into the project's folder by which id it is known there.

    A copy of a folder is another project, so it gets an id of its own.
    """
    known = _id_in(cluster.project)
    if known is None or any(other.is_of(known) and other.has_its_project for other in others(cluster)):
        known = _new_id(cluster.project)
    text = json.dumps({"id": known, "folder": str(cluster.project)}, ensure_ascii=False) + "\n"
    record = cluster.home / RECORD
    if not record.is_file() or record.read_text(encoding="utf-8") != text:
        write_text(record, text, mode=0o600)


def others(cluster: Cluster) -> list[Owned]:
    """Return the clusters that lie beside this one and hold data."""
    homes = sorted(cluster.home.parent.glob("*/data/PG_VERSION"))
    return [_owned(version.parent.parent) for version in homes if version.parent.parent != cluster.home]


def moved_from(cluster: Cluster) -> Owned | None:
    """Return the cluster that this project had before its folder was moved; None where there is none."""
    known = _id_in(cluster.project)
    found = (other for other in others(cluster) if other.is_of(known) and not other.has_its_project)
    return next(found, None)


def told(cluster: Cluster) -> str | None:
    """Say which database a folder without one may have had before; None where nothing speaks for any."""
    former = moved_from(cluster)
    if former is not None:
        return (
            f"This project was moved from {former.folder}, and its database still lies in {former.home}."
            f" Take it over with: lowland db up --take-over {former.home}"
        )
    left = [other for other in others(cluster) if other.is_left]
    if not left:
        return None
    lines = [f"{other.home}, of {other.folder or 'a project of an older lowland'}" for other in left]
    return (
        f"There are databases of projects that are not where they were:\n{listed(lines)}\n"
        "If one is this project's, take it over with: lowland db up --take-over FOLDER"
    )


def named(cluster: Cluster, place: Path) -> Owned | None:
    """Return the cluster that a folder is, or that the project has which was in a folder."""
    place = place.resolve()
    return next((other for other in others(cluster) if place in (other.home, other.folder)), None)


def _owned(home: Path) -> Owned:
    try:
        said = json.loads((home / RECORD).read_text(encoding="utf-8"))
        return Owned(home, str(said["id"]), Path(said["folder"]))
    except (OSError, ValueError, LookupError, TypeError):
        return Owned(home, None, None)


def _id_in(folder: Path) -> str | None:
    try:
        return (folder / ID_FILE).read_text(encoding="utf-8").strip() or None
    except (OSError, UnicodeDecodeError):
        return None


def _new_id(folder: Path) -> str:
    """Return a new id, written into the folder; where that cannot be written, the folder's path has to do."""
    new = secrets.token_hex(16)
    if folder.is_dir():
        try:
            (folder / ID_FILE).parent.mkdir(exist_ok=True)
            write_text(folder / ID_FILE, f"{new}\n")
        except (OSError, LowlandError):
            return new
    return new
