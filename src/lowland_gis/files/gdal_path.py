"""Have GDAL open the file that is meant: pyogrio takes some characters of a path for a web address or a place in an archive."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyogrio.errors import CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError
from pyogrio.util import vsi_path

from lowland_gis.errors import InputRefusedError

GDAL_ERRORS = (CRSError, DataLayerError, DataSourceError, FeatureError, FieldError, GeometryError)
# What a file whose own name cannot be handed on is called meanwhile.
STAND_IN = "source"


@contextmanager
def gdal_source(path: Path) -> Iterator[Path]:
    """Yield a path that reaches GDAL as it stands: the file's own where that does, else a link in a temporary folder.

    A link to the file's folder keeps the file's own name; where that is the trouble, it and its parts are linked as `source` with
    their suffixes.

    Raises:
        InputRefusedError: the temporary folder's path is no better.
    """
    if _as_it_stands(path.absolute()):
        yield path.absolute()
        return
    with _linked_folder(path) as through:
        if _as_it_stands(through):
            yield through
            return
        stand_in = through.parent.parent / f"{STAND_IN}{path.suffix}"
        for member in (part for part in path.absolute().parent.iterdir() if part.stem == path.stem):
            _link(member, stand_in.with_name(STAND_IN + member.name[len(path.stem) :]))
        yield stand_in


@contextmanager
def gdal_target(path: Path) -> Iterator[Path]:
    """Yield a path under which GDAL writes this file, in its own folder; its name is one of our own making.

    Raises:
        InputRefusedError: the temporary folder's path is no better than the file's.
    """
    if _as_it_stands(path.absolute()):
        yield path.absolute()
        return
    with _linked_folder(path) as through:
        yield through


@contextmanager
def _linked_folder(path: Path) -> Iterator[Path]:
    """Yield the path through a temporary link to its folder."""
    with tempfile.TemporaryDirectory(prefix="lowland-path-") as folder:
        if not _as_it_stands(Path(folder)):
            raise InputRefusedError(
                f"{path}: cannot be reached by GDAL, which needs another path to it, and that of the temporary folder {folder}"
                " has the same trouble. Set TMPDIR to a folder with a plain name."
            )
        (Path(folder) / "folder").symlink_to(path.absolute().parent, target_is_directory=True)
        yield Path(folder) / "folder" / path.name


def _as_it_stands(path: Path) -> bool:
    """Say whether pyogrio hands a path on unchanged; it takes ! for the edge of an archive, and cuts a name at ; or a tab."""
    return not str(path).startswith("/vsi") and bool(vsi_path(str(path)) == str(path))


def _link(part: Path, target: Path) -> None:
    try:
        target.symlink_to(part.absolute())
    except OSError:
        # Some systems let only administrators make links.
        shutil.copyfile(part, target)
