"""Of what a move is made: named subjects, the parcels of a unit, the rows of a list, or all that a town has in a state."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lowland_gis.analysis.registry.procedure import Register
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.db.roles import my_towns
from lowland_gis.errors import InputRefusedError, UsageError, gathered, listed
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from lowland_gis.loading import when_used
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.registry.descent import entered_anew

if TYPE_CHECKING:
    import pandas as pd
else:
    pd = when_used("pandas")

# Headings of a list, as the registry writes them and as offices do.
_SUBJECT = ("subject", "parcel_id", "ZDDM", "宗地代码", "地块编号", "number", "编号")
_MATTER = ("matter", "事项")
_VERSION = ("version", "版本")


@dataclass(frozen=True)
class Asked:
    """What is asked for: subjects by name, units whose parcels are meant, a list, or a whole town; together they are all meant.

    `version` is the version of the entry that whoever asks has looked at.
    """

    names: tuple[str, ...] = ()
    units: tuple[str, ...] = ()
    file: Path | None = None
    town: str | None = None
    matter: str | None = None
    version: int | None = None

    @property
    def nothing(self) -> bool:
        """Return whether nothing is asked for."""
        return not (self.names or self.units or self.file or self.town)


@dataclass(frozen=True)
class Found:
    """Entries and subjects that are meant, one row each: as `analysis.registry.moving.planned` takes them, with town_code, ordinal and ended."""

    entries: pd.DataFrame
    faults: list[tuple[str, str, str]] = field(default_factory=list)


_ENTRIES = """
    SELECT DISTINCT ON (subject, matter) entry_id, subject, matter, ordinal, town_code, version, state, on_date
    FROM registry.current_entry WHERE register = %s AND {}
    ORDER BY subject, matter, ordinal DESC
"""


def found_entries(connection: Connection, name: str, register: Register, asked: Asked, verb: str) -> Found:
    """Return what is meant, in the order of subject and matter.

    Of a town it is every entry that stands where `verb` leads on from; of a subject with several matters each of them.

    Raises:
        UsageError: nothing is asked for, or a unit is unknown.
        InputRefusedError: the list cannot be read, or names a subject twice.
    """
    if asked.nothing:
        raise UsageError(
            "Nothing is named that is to be moved. Give codes of parcels, --unit NUMBER, --file LIST.csv or --town CODE"
        )
    wanted = _wanted(connection, asked)
    rows = read_frame(
        connection, _ENTRIES.format("subject = ANY(%s)"), [name, wanted["subject"].unique().tolist()]
    )
    entries = wanted.merge(rows, on=["subject"], how="left", suffixes=("_asked", ""))
    said = entries["matter_asked"].notna()
    entries = entries[~said | (entries["matter_asked"] == entries["matter"]) | entries["matter"].isna()]
    entries["matter"] = entries["matter"].fillna(entries["matter_asked"]).fillna("")
    if asked.town is not None:
        entries = pd.concat(
            [entries, _of_town(connection, name, register, asked.town, verb)], ignore_index=True
        )
    entries = entries.drop_duplicates(["subject", "matter"]).sort_values(
        ["subject", "matter"], ignore_index=True
    )
    entries = entered_anew(entries, register, verb)
    faults = [] if register.subject != "parcel" else _strangers(connection, entries)
    return Found(entries.drop(columns="matter_asked", errors="ignore"), faults)


def _wanted(connection: Connection, asked: Asked) -> pd.DataFrame:
    frames = [_rows(asked.names, asked.version)]
    frames += [_rows(_parcels_of(connection, unit), None) for unit in asked.units]
    if asked.file is not None:
        frames.append(read_list(asked.file))
    wanted = pd.concat(frames, ignore_index=True)
    if asked.matter is not None:
        wanted["matter"] = wanted["matter"].fillna(asked.matter)
    twice = wanted[wanted.duplicated(["subject", "matter"], keep=False)]
    if len(twice):
        subjects = sorted(set(twice["subject"]))
        raise InputRefusedError(
            f"Nothing was recorded, because it is named more than once:\n{listed(subjects)}"
        )
    return wanted


def _rows(names: Sequence[str], version: int | None) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "subject": pd.Series(list(names), dtype=object),
            "matter": pd.Series([None] * len(names), dtype=object),
            "seen": pd.Series([version] * len(names), dtype=object),
        }
    )


def _parcels_of(connection: Connection, unit: str) -> list[str]:
    """Return the parcels of a unit: a frozen one by its number, else one of the newest draft."""
    row = connection.execute(
        "SELECT ARRAY(SELECT jsonb_array_elements_text(parcels)) FROM registry.unit WHERE number = %s ORDER BY entry_id DESC LIMIT 1",
        [unit],
    ).fetchone()
    if row is not None:
        return list(row[0])
    rows = connection.execute(
        "SELECT parcel_id FROM result.member WHERE unit_id = %s AND run_id = (SELECT max(run_id) FROM result.unit) ORDER BY parcel_id",
        [unit],
    ).fetchall()
    if not rows:
        raise UsageError(
            f"There is no unit {unit!r}, so nothing was recorded. All of them: lowland unit list"
        )
    return [str(row[0]) for row in rows]


def read_list(file: Path) -> pd.DataFrame:
    """Return the subjects of a list (.csv or .xlsx): subject, and matter and seen (version), empty where the list has no such column.

    Raises:
        InputRefusedError: it cannot be read, names no subjects or two columns of them, or a spreadsheet has made numbers of codes, lost
            digits, merged cells or left formulas without a result; with the rows.
    """
    rows, doubts = _received(file)
    names = {str(name).strip(): name for name in rows.columns}
    subject, matter, version = (
        next((names[known] for known in wanted if known in names), None)
        for wanted in (_SUBJECT, _MATTER, _VERSION)
    )
    several = [known for known in _SUBJECT if known in names]
    if len(several) > 1:
        raise InputRefusedError(
            f"{file}: more than one column says what is meant ({', '.join(several)}), so nothing was recorded. Leave one of them in the list"
        )
    if subject is None:
        raise InputRefusedError(
            f"{file}: no column says what is meant, so nothing was recorded. Name one of them {', '.join(_SUBJECT)}; it has: {', '.join(names)}"
        )
    # A value that a spreadsheet has spoilt counts only where it is read.
    read_here = tuple(f"{name}: " for name in (subject, matter, version) if name is not None)
    if spoilt := [words for words in doubts if words.startswith(read_here)]:
        raise InputRefusedError(
            f"{file}: nothing was recorded, because a spreadsheet has spoilt what is read:\n{listed(spoilt)}\nEnter these cells again"
        )
    faults = [
        (f"row {number}", f"row {number}: {said}", said)
        for number, value in enumerate(rows[subject], start=2)
        if (said := _wrong_code(value)) is not None
    ]
    if faults:
        raise InputRefusedError(f"{file}: nothing was recorded:\n{listed(gathered(faults))}")
    return pd.DataFrame(
        {
            "subject": rows[subject].astype(str).str.strip().astype(object),
            "matter": _texts(rows, matter),
            "seen": _versions(file, rows, version),
        }
    )


def _received(file: Path) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows of a list without totals and notes, and what the reader doubts of their values."""
    with opened(str(file), file.parent) as source, received(source) as held:
        batches = list(held.batches)
        frames = [batch.attributes.to_pandas() for batch in batches]
        rows = pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=list(held.columns))
        aside = [item.row for batch in batches for item in batch.aside]
        doubts = [doubt.words for batch in batches for doubt in batch.doubts]
    return rows.drop(index=aside).reset_index(drop=True), doubts


def _wrong_code(value: Any) -> str | None:
    if isinstance(value, int | float) and not pd.isna(value):
        return "the code is a number: a spreadsheet has changed it, and may have cut it. Format the column as text and enter the codes again"
    if value is None or pd.isna(value) or not str(value).strip():
        return "no code"
    return None


def _texts(rows: pd.DataFrame, column: Any) -> pd.Series[Any]:
    if column is None:
        return pd.Series([None] * len(rows), dtype=object)
    values: pd.Series[Any] = rows[column].astype(object)
    return values.where(values.notna() & (values.astype(str).str.strip() != ""), None)


def _versions(file: Path, rows: pd.DataFrame, column: Any) -> pd.Series[Any]:
    texts = _texts(rows, column)
    numbers = pd.to_numeric(texts, errors="coerce")
    wrong = [
        number
        for number, (text, value) in enumerate(zip(texts, numbers, strict=True), start=2)
        if text is not None and value != value // 1
    ]
    if wrong:
        raise InputRefusedError(
            f"{file}: nothing was recorded, because the version is no whole number in row(s) {', '.join(map(str, wrong[:5]))}"
        )
    return numbers.astype(object).where(numbers.notna(), None)


def _of_town(connection: Connection, name: str, register: Register, town: str, verb: str) -> pd.DataFrame:
    """Return the entries of a town that stand where a verb leads on from."""
    states = [state for state in register.state if register.meant(verb, state)]
    rows = read_frame(connection, _ENTRIES.format("town_code = %s"), [name, town])
    rows = rows[rows["state"].isin(states)]
    if rows.empty:
        titles = ", ".join(f"{state} {register.state[state]}" for state in states)
        raise UsageError(
            f"The town {town!r} has no entry from where {verb} leads on ({titles}), so nothing was recorded. What it has:"
            f" lowland registry list --town {town}"
        )
    return rows.assign(seen=None)


def _strangers(connection: Connection, entries: pd.DataFrame) -> list[tuple[str, str, str]]:
    """Return what is wrong with subjects that are not in the register: they must be parcels in force."""
    fresh = entries.loc[entries["entry_id"].isna(), "subject"].tolist()
    if not fresh:
        return []
    ids = [version.version_id for version in current_versions(connection).get("parcel", [])]
    known = connection.execute(
        "SELECT parcel_id FROM land.parcel WHERE version_id = ANY(%s) AND parcel_id = ANY(%s)", [ids, fresh]
    ).fetchall()
    unknown = sorted(set(fresh) - {row[0] for row in known})
    words = "there is no such parcel among the current ones"
    towns = my_towns(connection)
    if unknown and towns is not None:
        words += f", or it is of another town than yours ({', '.join(towns) or 'none'}): its clerk or an analyst may record it"
    return [(parcel, f"{parcel}: {words}", words) for parcel in unknown]
