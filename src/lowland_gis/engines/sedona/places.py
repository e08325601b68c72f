"""Where files of GeoParquet lie: a folder or file of this machine, or of an object store (`s3://`, `gs://`, `file://` …)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.fs
import pyarrow.parquet as pq

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.beyond import is_uri

# Hadoop's names of what others call s3.
_SAME = {"s3a": "s3", "s3n": "s3", "gcs": "gs"}
_KNOWN = ("file", "s3", "gs", "abfs", "abfss")


def listed(place: str) -> list[str]:
    """Return the .parquet files of a folder and of those in it, sorted, or the one file; as what `opened` takes.

    What begins with _ or a dot is passed over, as unfinished output does.

    Raises:
        UsageError: the scheme of a URI is none that tasks can read.
        InputRefusedError: there is no such folder, it has no such file, or the store does not answer.
    """
    if not is_uri(place):
        files = _beneath(Path(place)) if Path(place).is_dir() else [place]
    else:
        files = _stored(place)
    if not files:
        raise InputRefusedError(
            f"{place}: there is no .parquet file in it. Name a folder of GeoParquet files."
        )
    return files


def opened(file: str) -> pq.ParquetFile:
    """Return a file for reading, a part of a column at a time.

    Raises:
        OSError, pyarrow.ArrowInvalid: it is not there, or no Parquet file.
    """
    if not is_uri(file):
        return pq.ParquetFile(file, buffer_size=1 << 20, memory_map=False)
    system, path = _system(file)
    return pq.ParquetFile(system.open_input_file(path), buffer_size=1 << 20)


def _beneath(folder: Path) -> list[str]:
    found = (each for each in folder.rglob("*.parquet") if not _is_hidden(each.relative_to(folder).parts))
    return [str(each) for each in sorted(found)]


def _stored(place: str) -> list[str]:
    """Return the files of a place in a store, each as a URI with the options of the place."""
    query = place.partition("?")[2]
    account, at, _ = place.partition("://")[2].partition("/")[0].rpartition("@")
    if ":" in account:
        raise UsageError(
            "A URI with a key in it would stand in messages and lists of processes. Give the key by the environment:"
            " AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY"
        )
    start = f"{_scheme(place)}://{account}{at}"
    try:
        system, path = _system(place)
        about = system.get_file_info(path)
        if about.type == pyarrow.fs.FileType.NotFound:
            raise InputRefusedError(f"{place}: there is no such folder or file.")
        paths = [path] if about.is_file else sorted(_in_folder(system, path))
    except (OSError, pa.ArrowException) as error:
        raise InputRefusedError(
            f"{place}: cannot be listed ({str(error).splitlines()[0][:200]}), so nothing was computed. Keys and the address of a store are taken from"
            " the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL …"
        ) from error
    return [f"{start}{each}{'?' if query else ''}{query}" for each in paths]


def _in_folder(system: Any, path: str) -> Iterator[str]:
    for each in system.get_file_info(pyarrow.fs.FileSelector(path, recursive=True)):
        inside = PurePosixPath(each.path).relative_to(PurePosixPath(path)).parts
        if each.is_file and each.path.endswith(".parquet") and not _is_hidden(inside):
            yield each.path


def _system(place: str) -> tuple[Any, str]:
    """Return the file system of a URI and the path in it."""
    scheme = _scheme(place)
    if scheme not in _KNOWN:
        raise UsageError(
            f"{place}: tasks cannot read {scheme}://. They read folders of the machine, and {', '.join(f'{each}://' for each in _KNOWN)}"
            " (s3a:// is s3://). Copy the files to one of these, or mount the store as a folder."
        )
    return pyarrow.fs.FileSystem.from_uri(scheme + place[place.index("://") :])  # type: ignore[no-any-return]


def _scheme(place: str) -> str:
    scheme = place.partition("://")[0].lower()
    return _SAME.get(scheme, scheme)


def _is_hidden(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(("_", ".")) for part in parts)
