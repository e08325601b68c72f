"""Prove the registry in a backup without a database: the digest of each row, computed from its text, against its link in the chain.

It says the same as the SQL of `db.chain` in another language, from the text of COPY, so that each of the two proves the other.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import re
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from lowland_gis.pipeline.backup.manifest import Manifest, Part, TablePart
from lowland_gis.pipeline.registry.verify import BROKEN, CHANGED, INSERTED, REMOVED, Finding
from lowland_gis.schema.model import CHAIN, REGISTRY

Blocks = Callable[[Part], Iterator[bytes]]
_LINK = f"{REGISTRY}.{CHAIN}"
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_LETTERS = {b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_ITEM = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,{}]+)')
_DAY_ZERO = dt.date(2000, 1, 1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_SECOND = dt.timedelta(seconds=1)
_NULL = b"\\N"


@dataclass(frozen=True)
class Proof:
    """What was found of the chain. `passes` says whether it passes through a head that was given; None where none was."""

    n_links: int
    head: str | None
    findings: tuple[Finding, ...]
    passes: bool | None

    @property
    def sound(self) -> bool:
        """Return whether nothing was found."""
        return not self.findings and self.passes is not False


def prove(manifest: Manifest, blocks: Blocks, head: str | None = None) -> Proof:
    """Return what is wrong with the registry of a backup; the links of the chain are held in memory.

    What the manifest says of the chain is compared too.
    """
    tables = {table.name: table for table in manifest.tables}
    links: dict[str, dict[int, bytes]] = {}
    findings: list[Finding] = []
    passes = None if head is None else False
    top, last = b"", 0
    for row in _rows(tables[_LINK], blocks) if _LINK in tables else ():
        number, name, row_no, digest = (
            int(row["link_no"]),
            _text(row["table_name"]),
            int(row["row_no"]),
            _bytes(row["row_sha256"]),
        )
        findings += [Finding(CHAIN, missing, REMOVED) for missing in range(last + 1, number)][:1]
        top, last = hashlib.sha256(top + f"{name} {row_no} ".encode() + digest).digest(), number
        if top != _bytes(row["head"]):
            findings.append(Finding(CHAIN, number, BROKEN))
            top = _bytes(row["head"])
        links.setdefault(name, {})[row_no] = digest
        passes = passes or (None if head is None else top.hex() == head)
    reached = top.hex() if top else None
    for name, table in tables.items():
        if _LINK in tables and name.startswith(f"{REGISTRY}.") and name != _LINK:
            findings += _against(table, blocks, links.pop(name.partition(".")[2], {}))
    findings += [Finding(CHAIN, row_no, INSERTED) for rows in links.values() for row_no in rows]
    if reached != manifest.registry_head:
        findings.append(Finding(CHAIN, None, "the head is not the one that the manifest says"))
    return Proof(last, reached, tuple(findings), passes)


def _against(table: TablePart, blocks: Blocks, linked: Mapping[int, bytes]) -> Iterator[Finding]:
    """Yield the rows of a table that are not as they were linked."""
    name = table.name.partition(".")[2]
    key, _ = table.columns[0]
    kinds = sorted(table.columns)
    seen: set[int] = set()
    for row in _rows(table, blocks):
        number = int(row[key])
        seen.add(number)
        if number not in linked:
            yield Finding(name, number, INSERTED)
        elif row_sha256(row, kinds) != linked[number]:
            yield Finding(name, number, CHANGED)
    yield from (Finding(name, number, REMOVED) for number in sorted(linked.keys() - seen))


def row_sha256(row: Mapping[str, bytes], columns: Iterable[tuple[str, str]]) -> bytes:
    r"""Return the digest of a row, given as texts of COPY by column; `columns` are names with their types, by name.

    >>> row_sha256({"a": b"7", "b": b"\\N"}, [("a", "bigint"), ("b", "text")]) == hashlib.sha256(b"a=7").digest()
    True
    """
    pieces = [f"{name}={_piece(kind, row[name])}" for name, kind in columns if row[name] != _NULL]
    return hashlib.sha256(" ".join(pieces).encode()).digest()


def _piece(kind: str, value: bytes) -> str:
    if kind.startswith("geometry"):
        return hashlib.sha256(bytes.fromhex(value.decode())).hexdigest()
    return _PIECES[kind](value)


def _counted(value: bytes) -> str:
    text = _text(value)
    return f"{len(text)}:{text}"


def _moment(value: bytes) -> str:
    """Return the seconds since 1970 with six digits behind the point, as PostgreSQL spells them."""
    whole, rest = divmod(dt.datetime.fromisoformat(value.decode()) - _EPOCH, _SECOND)
    micro = whole * 10**6 + rest.microseconds
    return f"{'-' if micro < 0 else ''}{abs(micro) // 10**6}.{abs(micro) % 10**6:06}"


def _list(value: bytes) -> str:
    """Return an array of texts as JSON, as PostgreSQL spells it."""
    items = [
        re.sub(r"\\(.)", r"\1", quoted) if plain == "" else (None if plain == "NULL" else plain)
        for quoted, plain in _ITEM.findall(_text(value)[1:-1])
    ]
    text = json.dumps(items, ensure_ascii=False)
    return f"{len(text)}:{text}"


_PIECES: dict[str, Callable[[bytes], str]] = {
    "text": _counted,
    "jsonb": _counted,
    "text[]": _list,
    "integer": bytes.decode,
    "bigint": bytes.decode,
    "double precision": lambda value: struct.pack(">d", float(value)).hex(),
    "boolean": lambda value: str(int(value == b"t")),
    "date": lambda value: str((dt.date.fromisoformat(value.decode()) - _DAY_ZERO).days),
    "timestamp with time zone": _moment,
    "bytea": lambda value: hashlib.sha256(_bytes(value)).hexdigest(),
}


def _rows(table: TablePart, blocks: Blocks) -> Iterator[dict[str, bytes]]:
    """Yield the rows of a table: column → its text as COPY wrote it."""
    names = [name for name, _ in table.columns]
    for part in table.parts:
        for line in _lines(blocks(part)):
            yield dict(zip(names, line.split(b"\t"), strict=True))


def _lines(blocks: Iterable[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    for block in blocks:
        first, *more = block.split(b"\n")
        begun.append(first)
        for line in more:
            yield b"".join(begun)
            begun = [line]
    if any(begun):
        yield b"".join(begun)


def _text(value: bytes) -> str:
    return _unescaped(value).decode()


def _bytes(value: bytes) -> bytes:
    return bytes.fromhex(_unescaped(value)[2:].decode())


def _unescaped(value: bytes) -> bytes:
    if b"\\" not in value:
        return value
    return _ESCAPED.sub(lambda found: _LETTERS.get(found[1], found[1]), value)
