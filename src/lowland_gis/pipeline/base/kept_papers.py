"""Papers (文件) in the registry by the digest of their content, with the file itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError

# A file goes through memory more than once on its way; scans are far smaller.
MAX_BYTES = 200_000_000


def keep_paper(connection: Connection, file: Path) -> tuple[str, int]:
    """Keep a file in the registry, once, and return its SHA-256 and its size in bytes.

    Raises:
        InputRefusedError: the file cannot be read, is empty, or is larger than `MAX_BYTES`.
    """
    content = _content(file)
    digest = hashlib.sha256(content).hexdigest()
    connection.execute(
        "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes, content) SELECT %s, true, %s, %s, %b"
        " WHERE NOT EXISTS (SELECT FROM registry.paper WHERE sha256 = %s AND has_file)",
        [digest, file.name, len(content), content, digest],
    )
    return digest, len(content)


def stored_paper(connection: Connection, digest: str) -> tuple[str, bytes | None] | None:
    """Return name and content of a paper; the content is None where only its digest is known, all of it where there is no such paper."""
    row = connection.execute(
        "SELECT file_name, content FROM registry.paper WHERE sha256 = %s ORDER BY has_file DESC LIMIT 1",
        [digest],
    ).fetchone()
    return None if row is None else (str(row[0]), None if row[1] is None else bytes(row[1]))


def _content(file: Path) -> bytes:
    try:
        size = file.stat().st_size
        if size > MAX_BYTES:
            raise InputRefusedError(
                f"{file}: {size / 1e6:,.0f} MB is more than the registry keeps of one paper ({MAX_BYTES // 10**6} MB), so nothing was"
                " registered. Scan it with fewer dots, or give it in parts."
            )
        content = file.read_bytes()
    except OSError as error:
        raise InputRefusedError(
            f"{file}: cannot be read ({error.strerror}), so nothing was registered. Give the file of the paper (scan or PDF)."
        ) from error
    if not content:
        raise InputRefusedError(
            f"{file}: the file is empty, so nothing was registered. Give the file of the paper."
        )
    return content
