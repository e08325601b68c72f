"""Look through a bureau's folder: what inspect says of every layer in it, and whose district its codes name; nothing is written."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.folder import data_files
from lowland_gis.files.read import received
from lowland_gis.files.source import opened, sources_in
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake.inspect import Options, inspect_source
from lowland_gis.pipeline.intake.inspection import Inspection

# The field of a layer whose first six digits say in which district a record lies.
_REGION = {
    "parcel": "ZDDM", "enterprise": "ZDDM", "district": "XZQDM", "town": "XZQDM", "village": "XZQDM",
    "dltb2": "ZLDWDM", "dltb3": "ZLDWDM", "dltb_annual": "ZLDWDM",
}  # fmt: skip
_REGION_NAME = "XZQMC"
_DIGITS = 6


@dataclass(frozen=True)
class Seen:
    """One layer of a file: what to name to read it, its path below the folder, what inspect found, and how it was read.

    `districts` counts records by the first six digits of their codes, `names` are the names of the districts of a boundary layer.
    `of_several` is whether its file holds other layers too.
    """

    place: str
    shown: str
    found: Inspection
    options: Options
    of_several: bool = False
    districts: Counter[str] = field(default_factory=Counter)
    names: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Looked:
    """What was seen of a folder: the layers, and the files that cannot be read, each with the reason."""

    seen: tuple[Seen, ...]
    unread: tuple[tuple[str, str], ...]


def look_through(
    folder: Path, plane: str, *, leave_out: frozenset[Path] = frozenset(), tell: Tell = silent
) -> Looked:
    """Inspect every data file of a folder as if the project lay in a plane.

    Raises:
        InputRefusedError: a folder cannot be read.
    """
    try:
        listing = data_files(folder, leave_out)
    except OSError as error:
        raise InputRefusedError(
            f"{error.filename}: cannot be read ({error.strerror}). Check its rights."
        ) from error
    unread = [(str(path.relative_to(folder)), reason) for path, reason in listing.others]
    seen: list[Seen] = []
    for path in listing.files:
        shown = str(path.relative_to(folder))
        tell(f"look at {shown}")
        try:
            for place in sources_in(path):
                seen += look_at(place, f"{shown}{place[len(str(path)) :]}", Options(plane=plane))
        except InputRefusedError as error:
            unread.append((shown, _without_path(error, path)))
    return Looked(tuple(seen), tuple(sorted(unread)))


def look_at(place: str, shown: str, options: Options) -> list[Seen]:
    """Inspect one file, or one layer of it, as `options` say.

    Raises:
        InputRefusedError: it cannot be opened at all.
    """
    layers = inspect_source(place, Path(), options)
    return [_seen(place, shown, one, options, of_several=len(layers) > 1) for one in layers]


def _seen(place: str, shown: str, found: Inspection, options: Options, *, of_several: bool) -> Seen:
    named = f":{found.layer}" if of_several else ""
    place, shown = place + named, shown + named
    districts, names = _regions(place, found, options)
    return Seen(place, shown, found, options, of_several, districts, names)


def _regions(place: str, found: Inspection, options: Options) -> tuple[Counter[str], dict[str, str]]:
    """Count the districts that the codes of a layer name; of what cannot be read, none."""
    code = _column(found, _REGION.get(found.chosen or ""))
    if code is None:
        return Counter(), {}
    name = _column(found, _REGION_NAME) if found.chosen == "district" else None
    counted: Counter[str] = Counter()
    names: dict[str, str] = {}
    try:
        with (
            opened(place, Path()) as source,
            received(
                source, encoding=options.encoding or found.encoding, consents=options.consents
            ) as arrived,
        ):
            for batch in arrived.batches:
                codes = _texts(batch.attributes, code)
                counted.update(text[:_DIGITS] for text in codes if text[:_DIGITS].isdigit())
                if name is not None:
                    names |= {
                        text[:_DIGITS]: called
                        for text, called in zip(codes, _texts(batch.attributes, name), strict=True)
                        if called
                    }
    except InputRefusedError:
        return Counter(), {}
    return Counter({district: n for district, n in counted.items() if len(district) == _DIGITS}), names


def _column(found: Inspection, standard: str | None) -> str | None:
    """Return the received column that stands for a field, guesses included."""
    matches = found.fit.matches if found.fit else ()
    return next((match.received for match in matches if match.standard == standard), None)


def _texts(columns: pa.Table, name: str) -> list[str]:
    if name not in columns.column_names:
        return []
    texts = pc.fill_null(pc.cast(columns.column(name), pa.string(), safe=False), "")
    return [text.strip() for text in texts.to_pylist()]


def _without_path(error: InputRefusedError, path: Path) -> str:
    """Return a refusal without the path before it, which stands beside it."""
    return " ".join(str(error).removeprefix(f"{path}: ").split())
