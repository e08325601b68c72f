"""Tell by its content what kind of workbook a file is, whatever its name; what is none is refused with what it is."""

from __future__ import annotations

import zipfile
from pathlib import Path

from lowland_gis.errors import InputRefusedError

# By the suffix, what the name promises; WPS writes .et as an .xls or as an .xlsx.
SUFFIXES = {".xlsx": "XLSX", ".xls": "XLS", ".et": "XLS", ".xlsb": "XLSB", ".ods": "ODS"}
# No name promises a web page: it comes as an .xls.
PAGE = "HTML"
WORKBOOKS = frozenset({*SUFFIXES.values(), PAGE})
_CALLED = {"XLSX": ".xlsx", "XLS": ".xls", "XLSB": ".xlsb", "ODS": ".ods", PAGE: "web page (HTML)"}

_OLE, _ZIP = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", (b"PK\x03\x04", b"PK\x05\x06")
# The streams of a workbook in the container of old Office, and what has a password or is of another program.
_STREAMS = tuple(name.encode("utf-16-le") for name in ("Workbook", "Book", "WORKBOOK", "BOOK", "WorkBook"))
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_BARE = tuple(bytes((9, version)) for version in (0, 2, 4, 8))
_HEAD_BYTES = 4096
# An entry of a directory: its name, the length of that, and its kind; from MS-CFB 2.6.
_ENTRY_BYTES, _DIRECTORY_BYTES, _NAME_BYTES, _LAST_KIND, _SECTOR_POWERS = 128, 1 << 20, 64, 5, (9, 12)
_BEGINNINGS = (
    b"<html",
    b"<table",
    b"<!doctype html",
    b"<head",
    b"<meta",
    b"<body",
    b"<div",
    b"<style",
)
_AS_XLSX = "Open it and save it as .xlsx."


def workbook_kind(path: Path) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return the kind of a workbook, and a doubt where the name says another one.

    Raises:
        InputRefusedError: it has a password, or is no workbook.
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        start = file.read(_HEAD_BYTES)
    if start.startswith(_OLE):
        found = _in_container(path)
    elif start.startswith(_ZIP):
        found = _in_zip(path)
    elif start.startswith(_BARE):
        found = "XLS"
    elif _is_page(start):
        found = PAGE
    else:
        raise InputRefusedError(f"{path}: {_what_it_is(path, start)}")
    promised = SUFFIXES[path.suffix.lower()]
    if found == promised or (path.suffix.lower() == ".et" and found == "XLSX"):
        return found, ()
    words = f"{path.name} is named {path.suffix}, but holds a workbook of the kind {_CALLED[found]}; it was read as that."
    return found, (("suffix_other", words),)


def _in_container(path: Path) -> str:
    """Tell by the names of its streams what is in a container; they stand in its directory, 128 bytes each."""
    entries = _directory(path)
    if any(entry.startswith(_ENCRYPTED) for entry in entries):
        raise InputRefusedError(
            f"{path}: it is protected by a password, so it cannot be read. Open it, take the password off and save it again."
        )
    # Of a broken directory the reader says what is wrong.
    if not entries or any(entry.startswith(name + b"\0\0") for entry in entries for name in _STREAMS):
        return "XLS"
    raise InputRefusedError(
        f"{path}: its content is a file of old Office that holds no workbook, as a text (.doc) or a letter (.msg),"
        f" or it was cut short, so it is not opened. Ask the sender for the file again."
    )


def _directory(path: Path) -> list[bytes]:
    """Return the entries of the directory of a container, as far as they stand together; none where it lies outside the file."""
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
        power = int.from_bytes(head[30:32], "little")
        file.seek((int.from_bytes(head[48:52], "little") + 1) << (power if power in _SECTOR_POWERS else 9))
        content = file.read(_DIRECTORY_BYTES)
    found = []
    for place in range(0, len(content) - _ENTRY_BYTES + 1, _ENTRY_BYTES):
        entry = content[place : place + _ENTRY_BYTES]
        if int.from_bytes(entry[64:66], "little") > _NAME_BYTES or entry[66] > _LAST_KIND:
            # Here begins something else.
            break
        found.append(entry)
    return found


def _in_zip(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.lstrip("/").lower() for name in archive.namelist()}
    except (zipfile.BadZipFile, ValueError, NotImplementedError, OSError):
        # The reader says what is wrong with it.
        return SUFFIXES[path.suffix.lower()] if path.suffix.lower() not in (".xls", ".et") else "XLSX"
    if "content.xml" in names:
        return "ODS"
    if any(name.startswith("xl/workbook") and name.endswith(".bin") for name in names):
        return "XLSB"
    return "XLSX"


def _what_it_is(path: Path, start: bytes) -> str:
    """Say what a file is that is no workbook under the name of one."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    if not start.strip(b"\0 \r\n\t"):
        return f"it is empty, so its content is not what the name {path.suffix} says. Ask the sender for the file again."
    if b"urn:schemas-microsoft-com:office:spreadsheet" in text:
        return f"its content is an XML table of Excel 2003, which is not read. {_AS_XLSX}"
    if text.startswith(b"mime-version"):
        return f"its content is a web page with its parts (MHTML) under the name {path.suffix}, which is not read. {_AS_XLSX}"
    if (
        b"\0" not in start
        and any(sign in start for sign in (b",", b"\t", b"\n"))
        and not text.startswith(b"<")
    ):
        return (
            f"its content is plain text under the name {path.suffix}: values with {'tabs' if _tabs(start) else 'commas'} between them."
            " Open it and save it as .xlsx, codes as text; a text with commas is read too when it is named .csv."
        )
    return f"its content is not what the name {path.suffix} says, so it is not opened. Ask the sender for the file again."


def _is_page(start: bytes) -> bool:
    """Tell whether a file begins as a web page does, whatever its encoding; XML of Excel is none."""
    text = start.replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe").lstrip().lower()
    if b"urn:schemas-microsoft-com:office:spreadsheet" in text or text.startswith(b"mime-version"):
        return False
    return text.startswith(_BEGINNINGS) or b"<table" in text or b"<html" in text


def _tabs(start: bytes) -> bool:
    return start.count(b"\t") > start.count(b",")
