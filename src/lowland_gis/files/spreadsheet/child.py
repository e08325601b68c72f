"""Read a workbook in a process of its own, whose memory is limited: `python -m lowland_gis.files.spreadsheet.child KIND FILE BYTES`.

What such a file makes a library do – fall over, take all memory, go round for ever – ends this process and no other. The sheets go to
stdout; a reason why it cannot be read goes to stderr.
"""

from __future__ import annotations

import importlib
import marshal
import sys
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NoReturn

from lowland_gis.files.spreadsheet.stored_sheet import StoredSheet, UnreadableError

READERS = {"XLS": "old_cells", "XLSB": "binary_cells", "ODS": "open_cells", "HTML": "page_cells"}
# The codes with which it ends: it may not be read, it is broken, there is not memory enough.
MAY_NOT, BROKEN, NO_MEMORY = 10, 11, 12


def main(kind: str, path: str, memory_bytes: int) -> None:
    """Write the sheets of a workbook of a kind to stdout, with so much memory."""
    _limit_memory(memory_bytes)
    try:
        sheets: Callable[[str], Iterable[StoredSheet]] = importlib.import_module(
            f"lowland_gis.files.spreadsheet.{READERS[kind]}"
        ).sheets
        found = [parts_of(sheet) for sheet in sheets(path)]
        _write(found)
    except UnreadableError as error:
        _end(MAY_NOT, str(error))
    except MemoryError:
        _end(NO_MEMORY, "")
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as error:  # noqa: BLE001 - a library in Rust falls over with an exception of its own kind
        _end(BROKEN, str(error) or f"it contradicts itself: {type(error).__name__}")


def parts_of(sheet: StoredSheet) -> tuple[object, ...]:
    """Return the parts of a sheet in their order, cells as they are."""
    return tuple(getattr(sheet, name) for name in StoredSheet.__dataclass_fields__)


def _write(found: list[tuple[object, ...]]) -> None:
    try:
        content = marshal.dumps(found)
    except ValueError as error:
        # All of it can be written, so this is how marshal says that there is no room.
        raise MemoryError from error
    sys.stdout.buffer.write(content)
    sys.stdout.buffer.flush()


def _end(code: int, why: str) -> NoReturn:
    # Only the last line is read: before it a library may have written its own.
    sys.stderr.write("\n" + " ".join(why.split())[:500])
    sys.exit(code)


def _limit_memory(memory_bytes: int) -> None:
    # Windows has no such limits; the time is limited there too.
    if sys.platform != "win32":
        with suppress(ImportError):
            resource = importlib.import_module("resource")
            resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
