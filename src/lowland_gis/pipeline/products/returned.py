"""Mark the deliveries in force, and list their faults in the words of who supplied them (退回供数单位): rows, headings, what is expected."""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.check import CheckDefinition, checks
from lowland_gis.definitions.judging import Judging, JudgingRule, judging
from lowland_gis.definitions.layer import layer_definition, layer_keys, layer_title
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.headings import Headings, delivered_headings
from lowland_gis.pipeline.base.runs import Version, current_versions
from lowland_gis.pipeline.quality.check import ALL_RECORDS
from lowland_gis.pipeline.quality.findings import OPEN, listed_findings
from lowland_gis.pipeline.quality.layers import read_layer
from lowland_gis.products.judging.findings import Finding, Mark, marked
from lowland_gis.products.judging.report import write_layer
from lowland_gis.products.judging.returned import Delivery, write_returned

# Ingest names what became of a record; of doubts that nothing was done about, and that no record has, there is nothing to mend.
_ACTIONS = {"rejected": "记录未采用", "repaired": "图形已修复", "kept": "记录存疑"}
_DELIVERIES = (
    "SELECT v.version_id, v.layer, v.part, v.as_of, s.path, s.layer_name, v.n_read, v.n_rejected,"
    " v.options->'mapping'->>'supplier' AS supplier FROM land.current_version c JOIN land.layer_version v USING (version_id)"
    " JOIN land.source s ON s.source_id = v.source_id ORDER BY v.layer, v.part, v.version_id"
)
_ISSUES = (
    "SELECT version_id, row_no, key, rule, action, message, ST_X(place) AS east_m, ST_Y(place) AS north_m"
    " FROM land.issue WHERE version_id = ANY(%s) ORDER BY version_id, row_no, issue_id"
)


@dataclass(frozen=True)
class Returned:
    """One delivery with its faults and its mark. `supplier` is told where a mapping names one; `n_read` are the records of the file."""

    version_id: int
    layer: str
    part: str | None
    file: str
    name: str
    supplier: str | None
    n_read: int
    n_rejected: int
    findings: tuple[Finding, ...]
    mark: Mark

    @property
    def title(self) -> str:
        """Return the title of the layer, with the part where it has one."""
        return layer_title(self.layer) + (f" {self.part}" if self.part else "")


@dataclass(frozen=True)
class Marked:
    """The deliveries that were marked, and by what: a rule for each check and for each doubt of ingest."""

    deliveries: tuple[Returned, ...]
    how: Judging

    @property
    def findings(self) -> list[Finding]:
        """Return the faults of all deliveries, in their order."""
        return [finding for each in self.deliveries for finding in each.findings]


def marked_deliveries(connection: Connection, layers: Collection[str] = ()) -> Marked:
    """Return the deliveries in force, or those of some `layers`, with their open findings, the doubts of ingest, and their marks.

    The findings are those of the newest checks; who calls has run them.

    Raises:
        UsageError: there is no such layer, or none of it is in force.
    """
    _refuse_unknown(layers)
    rows = read_frame(connection, _DELIVERIES, [])
    if layers:
        rows = rows[rows["layer"].isin(list(layers))]
    if rows.empty:
        raise UsageError(
            "Nothing is in force that could be marked. What was delivered is shown by: lowland layers list"
        )
    numbers = [int(number) for number in rows["version_id"]]
    said = delivered_headings(connection, numbers)
    versions = current_versions(connection)
    found = listed_findings(connection, list(checks()), (OPEN,))
    issues = read_frame(connection, _ISSUES, [numbers])
    how = _with_rules(judging(), issues)
    deliveries = []
    for key, some in rows.groupby("layer", sort=False):
        layer = _Layer.read(connection, str(key), versions[str(key)], found[found["layer"] == key])
        for row in some.to_dict("records"):
            number = int(row["version_id"])
            file = _File(str(row["path"]), row["layer_name"] or layer_title(str(key)), said.get(number, {}))
            faults = (
                *file.doubts(issues[issues["version_id"] == number]),
                *file.found(layer, number),
            )
            mark = marked(faults, how, {(file.path, file.name): int(row["n_read"])})
            deliveries.append(
                Returned(
                    number, str(key), row["part"], file.path, file.name, row["supplier"], int(row["n_read"]),
                    int(row["n_rejected"]), faults, mark,
                )
            )  # fmt: skip
    return Marked(tuple(deliveries), how)


def _refuse_unknown(layers: Collection[str]) -> None:
    unknown = [key for key in layers if key not in layer_keys()]
    if unknown:
        raise UsageError(
            f"There is no layer {', '.join(unknown)}. The layers are shown by: lowland layers list"
        )


def _with_rules(how: Judging, issues: pd.DataFrame) -> Judging:
    """Return how deliveries are marked: a rule for each check by its severity, and one for each doubt and what was done about it."""
    classes = how.deliveries
    rules = {
        name: JudgingRule.model_validate(
            {
                "class": classes.checks.get(name, getattr(classes, item.severity)),
                "title": item.title,
                "meaning": item.official or item.source,
            }
        )
        for name, item in checks().items()
    }
    for rule, action in issues[["rule", "action"]].drop_duplicates().itertuples(index=False):
        rules[_doubt(rule, action)] = JudgingRule.model_validate(
            {"class": getattr(classes, action), "title": f"{_ACTIONS[action]}（{rule}）", "meaning": rule}
        )
    return how.model_copy(update={"rules": rules})


def _doubt(rule: str, action: str) -> str:
    return f"{rule}:{action}"


@dataclass(frozen=True)
class _Layer:
    """A layer in force: its open findings, the row of each key, and the texts of the fields that findings are about."""

    findings: pd.DataFrame
    rows: Mapping[tuple[int, str], int]
    texts: pd.DataFrame = field(default_factory=pd.DataFrame)

    @classmethod
    def read(
        cls, connection: Connection, key: str, versions: list[Version], findings: pd.DataFrame
    ) -> _Layer:
        definition = layer_definition(key)
        # Findings carry the delivery that they were last found in.
        numbers = read_frame(
            connection,
            "SELECT finding_id, version_id FROM land.finding WHERE finding_id = ANY(%s)",
            [[int(number) for number in findings["finding_id"]]],
        )
        findings = findings.merge(numbers, on="finding_id")
        if findings.empty:
            return cls(findings, {})
        named = {field.name for field in definition.field}
        fields = tuple(sorted({str(subject) for subject in findings["subject"] if subject in named}))
        layer = read_layer(connection, definition, versions, fields)
        texts = layer.texts.assign(version_id=layer.rows["version_id"], row_no=layer.rows["row_no"])
        keys = zip(layer.rows["version_id"], layer.rows["key"], layer.rows["row_no"], strict=True)
        rows: dict[tuple[int, str], int] = {}
        for number, name, row in keys:
            rows.setdefault((int(number), str(name)), int(row))
        return cls(findings, rows, texts.set_index(["version_id", "row_no"]))

    def text(self, version_id: int, row_no: int | None, name: str) -> str | None:
        """Return what stands in a field of a record; None where it is empty, or is no field of one record."""
        if row_no is None or name not in self.texts:
            return None
        value = self.texts.loc[(version_id, row_no), name]
        return value if isinstance(value, str) else None


@dataclass(frozen=True)
class _File:
    """A delivered file: where it came from, its layer or sheet, and its own headings (field → heading)."""

    path: str
    name: str
    headings: Headings

    def found(self, layer: _Layer, version_id: int) -> list[Finding]:
        """Return the open findings of a delivery; rows count from 1, as software shows them."""
        rows = layer.findings[layer.findings["version_id"] == version_id]
        return [self._finding(layer, version_id, row) for row in rows.to_dict("records")]

    def _finding(self, layer: _Layer, version_id: int, row: Mapping[Any, Any]) -> Finding:
        keys = [str(key) for key in row["keys"]]
        every = keys[0] == ALL_RECORDS
        number = None if every else layer.rows.get((version_id, keys[0]))
        subject = row["subject"] or ""
        item: CheckDefinition = checks()[row["rule"]]
        return Finding(
            row["rule"], self.path, self.name,
            row=None if number is None else number + 1,
            key=None if every else "、".join(keys),
            field=self.headings.get(subject, subject),
            value=_value(layer.text(version_id, number, subject), row["value"], row["unit"]),
            expected=self._in_his_words(str(row["message"]).removeprefix(f"{item.title}: ")),
            x=_number(row["east_m"]), y=_number(row["north_m"]),
        )  # fmt: skip

    def doubts(self, issues: pd.DataFrame) -> list[Finding]:
        """Return what ingest doubted in a delivery, record by record; a doubt about the whole has no row."""
        return [
            Finding(
                _doubt(row["rule"], row["action"]), self.path, self.name,
                row=None if _is_of_all(row) else int(row["row_no"]) + 1, key=row["key"] or None,
                expected=self._in_his_words(str(row["message"])), x=_number(row["east_m"]), y=_number(row["north_m"]),
            )
            for row in issues.to_dict("records")
        ]  # fmt: skip

    def _in_his_words(self, message: str) -> str:
        """Return a message in which fields are called as the headings of the file call them."""
        names = "|".join(map(re.escape, self.headings))
        return re.sub(rf"\b({names})\b", lambda found: self.headings[found[0]], message) if names else message


def _is_of_all(issue: Mapping[Any, Any]) -> bool:
    """Tell whether a doubt is about a delivery as a whole: those stand at its first row, without a key or a place."""
    return (
        issue["row_no"] == 0
        and not issue["key"]
        and _number(issue["east_m"]) is None
        and issue["action"] == "kept"
    )


def _value(text: str | None, value: object, unit: str | None) -> str | None:
    if text is not None:
        return text
    number = _number(value)
    return None if number is None else f"{number:,.6g}" + (f" {unit}" if unit else "")


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not math.isnan(value) else None


def summary(deliveries: Sequence[Returned]) -> pd.DataFrame:
    """Return one row a delivery: layer, title, part, file, supplier, records, set_aside, faults, mark, grade."""
    return pd.DataFrame(
        [
            {
                "layer": each.layer, "title": layer_title(each.layer), "part": each.part, "file": each.file, "supplier": each.supplier,
                "records": each.n_read, "set_aside": each.n_rejected, "faults": len(each.findings), "mark": each.mark.mark,
                "grade": each.mark.grade,
            }
            for each in deliveries
        ]
    )  # fmt: skip


def write(marked: Marked, target: Path, *, crs: str) -> None:
    """Write what goes back to the supplier: as a GeoPackage the places of the faults on the plane of the project, else marks and faults.

    Raises:
        InputRefusedError: the target cannot be written.
    """
    if target.suffix.lower() == ".gpkg":
        write_layer(marked.findings, marked.how, target, crs=crs, title="数据质量检查结果")
        return
    deliveries = [
        Delivery(each.title, each.file, each.supplier, each.n_read, each.n_rejected, each.findings, each.mark)
        for each in marked.deliveries
    ]
    write_returned(deliveries, marked.how, target, day=dt.datetime.now(tz=dt.UTC).date())
