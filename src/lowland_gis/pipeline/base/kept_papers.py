"""Papers (文件) in the registry by the digest of their content, with the file itself."""

from __future__ import annotations

import hashlib
from pathlib import Path

from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError, UsageError

# A file goes through memory more than once on its way; scans are far smaller.
MAX_BYTES = 200_000_000
_DIGEST_LETTERS = 64


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


def known_paper(connection: Connection, digest: str, name: str) -> str:
    """Note a paper of which only the digest is known, where the registry does not have it; return its SHA-256.

    Raises:
        InputRefusedError: the digest is none.
    """
    lower = digest.strip().lower()
    if len(lower) != _DIGEST_LETTERS or set(lower) - set("0123456789abcdef"):
        raise InputRefusedError(
            f"{name}: {digest!r} is no SHA-256, so nothing was recorded: it has {_DIGEST_LETTERS} digits of 0–9 and a–f (sha256sum FILE)."
        )
    connection.execute(
        "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes) SELECT %s, false, %s, 0"
        " WHERE NOT EXISTS (SELECT FROM registry.paper WHERE sha256 = %s)",
        [lower, name, lower],
    )
    return lower


def kept_paper(connection: Connection, digest: str) -> bytes:
    """Return the file of a paper by its SHA-256, or by its first digits.

    Raises:
        UsageError: there is no such paper, more than one begins so, or only its digest is known.
    """
    rows = connection.execute(
        "SELECT DISTINCT ON (sha256) sha256, content, file_name FROM registry.paper WHERE starts_with(sha256, %s)"
        " ORDER BY sha256, has_file DESC LIMIT 2",
        [digest.lower()],
    ).fetchall()
    if len(rows) != 1 or not digest:
        many = "More than one paper begins with" if rows else "There is no paper"
        raise UsageError(f"{many} sha256:{digest}. Digests: lowland registry history PARCEL --json")
    _, content, name = rows[0]
    if content is None:
        raise UsageError(
            f"Of the paper {name} only the digest is known, as an older program kept it. Who has the file registers it again:"
            " lowland registry document PARCEL CLAUSE FILE --says …"
        )
    return bytes(content)


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
