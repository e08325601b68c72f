"""A district whose units are frozen and whose parcels are filed, and its plan by commands and workbooks."""

from __future__ import annotations

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any

import openpyxl
import psycopg

from lowland_gis.analysis.registry.plan_form import PLAN, PLAN_COLUMNS, PROGRESS, PROGRESS_COLUMNS
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from registered import PROJECT, TOWN, deliver_parcels, paper

OTHER_TOWN = "120113102"
# Unit → its town and its parcels; the second holds land of a control line, the third parcels that are no further than notice.
PARCELS = {
    f"{TOWN}-DY-001": [f"{TOWN}001GB0000{n}" for n in range(1, 4)],
    f"{TOWN}-DY-002": [f"{TOWN}002GB0000{n}" for n in range(1, 3)],
    f"{TOWN}-DY-003": [f"{TOWN}003GB0000{n}" for n in range(1, 3)],
    f"{TOWN}-DY-004": [f"{TOWN}004GB00001"],
    f"{OTHER_TOWN}-DY-001": [f"{OTHER_TOWN}001GB0000{n}" for n in range(1, 3)],
}
GOOD, PROTECTED, UNFILED, WITHDRAWN, ELSEWHERE = PARCELS
AREA = 30_000.0
SHARES = {"eco_share": 0.0, "farmland_share": 0.0, "boundary_share": 1.0}
CHAIN = [
    ("survey", "2024-02-01"), ("draft", "2024-02-02"), ("notice", "2024-03-01"), ("approve", "2024-03-20"), ("submit", "2024-03-21"),
    ("review", "2024-03-25"), ("file", "2024-03-31"),
]  # fmt: skip
LETTERS = {
    (sheet, column.key): chr(ord("A") + place)
    for sheet, columns in ((PLAN, PLAN_COLUMNS), (PROGRESS, PROGRESS_COLUMNS))
    for place, column in enumerate(columns)
}


def found_district(dsn: str, folder: Path) -> None:
    """Put the district into a database: parcels, measures, frozen units, filed entries."""
    (folder / "lowland.toml").write_text(PROJECT.format(dsn=dsn), encoding="utf-8")
    for town in (TOWN, OTHER_TOWN):
        codes = [code for codes in PARCELS.values() for code in codes if code.startswith(town)]
        deliver_parcels_of(dsn, codes, town)
    project = open_project(folder)
    filed = tuple(code for unit, codes in PARCELS.items() if unit != UNFILED for code in codes)
    for verb, day in CHAIN:
        on = dt.date.fromisoformat(day)
        asked = Asked((*filed, *(PARCELS[UNFILED] if on < dt.date(2024, 3, 2) else ())))
        record_move(project, Typed(verb, on=on, document=paper(folder, verb)), asked)
    with psycopg.connect(dsn) as connection:
        freeze(connection)
        measure(connection)


def deliver_parcels_of(dsn: str, codes: list[str], town: str) -> None:
    """Deliver parcels of one town as a part."""
    deliver_parcels(dsn, codes, town)
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "UPDATE land.layer_version SET part = %s WHERE version_id = (SELECT max(version_id) FROM land.layer_version)",
            [town],
        )


def freeze(connection: psycopg.Connection[Any]) -> None:
    """Freeze the units; the fourth is withdrawn again."""
    states = [*((unit, "frozen", None) for unit in PARCELS), (WITHDRAWN, "withdrawn", "边界有误")]
    for number, state, reason in states:
        connection.execute(
            "INSERT INTO registry.unit (number, unit_id, town_code, parcels, area_m2, low_share, value_m2, ledger, geom, state, reason, run_id,"
            " recorded_at, recorded_by) VALUES (%s, 'u', %s, to_jsonb(%s::text[]), %s, 0.5, 1, '{}',"
            " 'SRID=4548;MULTIPOLYGON(((0 0, 10 0, 10 10, 0 0)))', %s, %s, 1, now(), 'x')",
            [number, number[:9], PARCELS[number], AREA, state, reason],
        )


def measure(connection: psycopg.Connection[Any], without: str | None = None) -> None:
    """Record measures of all parcels; one of the second unit lies in the red line."""
    (run,) = connection.execute(
        "INSERT INTO result.run (stage, started_at, finished_at, code_version, inputs, settings, digest) VALUES"
        " ('measure', now(), now(), 'x', '{}', '{}', 'x') RETURNING run_id"
    ).fetchone() or (0,)
    for unit, codes in PARCELS.items():
        for place, code in enumerate(codes):
            for name, share in SHARES.items():
                value = 0.25 if (unit, place, name) == (PROTECTED, 0, "eco_share") else share
                if name != without:
                    connection.execute(
                        "INSERT INTO result.evidence_apart (run_id, parcel_id, measure, value, source) VALUES (%s, %s, %s, %s, 'x')",
                        [run, code, name, value],
                    )


def row(number: str = f"{TOWN}-2026-01", unit: str | None = GOOD, **changes: Any) -> dict[str, Any]:
    """A row of the plan without fault."""
    return {
        "town_code": number[:9], "number": number, "title": "北仓老厂区更新", "kind": "城市更新", "unit": unit,
        "developer": "北辰城投公司", "content": "拆除旧厂房，建设研发楼", "phase": "近期", "start_on": dt.date(2026, 3, 1),
        "end_on": dt.date(2027, 10, 31), "goal": "主体确认", "area_m2": 12000.5, "investment_wan": 3500.0, **changes,
    }  # fmt: skip


EXCHANGE = {
    "unit": None, "title": "韩家墅村增减挂钩", "kind": "村庄增减挂钩", "goal": "拆旧复垦", "reclaimed_m2": 8000.0, "built_m2": 7500.0,
    "quota_no": "津规资增挂〔2025〕3号", "quota_on": dt.date(2025, 11, 3),
}  # fmt: skip


def report(number: str = f"{TOWN}-2026-01", **changes: Any) -> dict[str, Any]:
    """A report without fault."""
    return {
        "number": number, "as_of": dt.date(2026, 11, 1), "status": "1 正在实施", "step": "更新方案批复",
        "started_on": dt.date(2026, 4, 2), "area_m2": 4000.0, "investment_wan": 900.0, **changes,
    }  # fmt: skip


def fill(
    form: Path, target: Path, rows: list[dict[str, Any]], reports: list[dict[str, Any]] | None = None
) -> Any:
    """Fill a form in, beginning with the first row of each sheet; return the workbook, which was saved."""
    book = openpyxl.load_workbook(form)
    for name, filled in ((PLAN, rows), (PROGRESS, reports or [])):
        sheet = book[name]
        for number in range(4, sheet.max_row + 1):
            for cell in sheet[number]:
                cell.value = None
        for number, values in enumerate(filled, start=4):
            for key, value in values.items():
                sheet[f"{LETTERS[name, key]}{number}"] = value
    book.save(target)
    return book


def by_libreoffice(file: Path, folder: Path) -> Path:
    """Have LibreOffice open a workbook and save it again."""
    subprocess.run(
        ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to",
         "xlsx:Calc MS Excel 2007 XML", "--outdir", str(folder / "saved"), str(file)],
        check=True, capture_output=True, timeout=300,
    )  # fmt: skip
    return folder / "saved" / file.name
