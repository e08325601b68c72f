"""Turn a batch of received rows into rows of a land table, with every doubt about them; no database in here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import shapely

from lowland_gis import schema
from lowland_gis.analysis.fields import attributes
from lowland_gis.analysis.fields.json_rows import json_records
from lowland_gis.analysis.fields.stated_quantities import NOTHING, Stated
from lowland_gis.analysis.geometry import repair
from lowland_gis.analysis.geometry.geodesy import GaussPlane, ellipsoidal_areas
from lowland_gis.analysis.measures.towns import TOWN_DIGITS, code_of_town
from lowland_gis.definitions.codes import code_names
from lowland_gis.definitions.layer import LayerDefinition
from lowland_gis.definitions.mapping import Mapping, apply
from lowland_gis.errors import InputRefusedError, listed
from lowland_gis.files.batches import Batch

# Little-endian points, lines and polygons in two dimensions: one head tells all of such a geometry.
_STORED = frozenset(b"\x01" + kind.to_bytes(4, "little") for kind in (1, 2, 3))
_KINDS: dict[str, repair.Kind] = {"polygon": "polygon", "line": "line", "point": "point"}

Geometries = npt.NDArray[np.object_]


@dataclass(frozen=True)
class Prepared:
    """Rows ready for COPY and the issues of a batch; `n_rejected` counts the rows that were set aside.

    `remarks` are about the whole delivery; they come with its first batch.
    """

    rows: pd.DataFrame
    issues: pd.DataFrame
    n_rejected: int
    remarks: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Begun:
    """A batch on its way: its rows with everything but the verdict on their codes; `mended` is None for tables.

    `headings` are those of fields that came under another name than their own.
    """

    batch: Batch
    standard: attributes.Standardised
    rows: pd.DataFrame
    mended: repair.Repaired | None
    headings: dict[str, str]


@dataclass
class Elsewhere:
    """Counts the features that have a place, and those whose place is beyond the project's plane."""

    placed: int = 0
    beyond: int = 0
    first: tuple[float, ...] = ()

    def look(self, mended: repair.Repaired) -> None:
        """Count a batch."""
        beyond = np.flatnonzero(mended.fault == "geometry_off_plane")
        self.placed += int(mended.usable.sum()) + len(beyond)
        self.beyond += len(beyond)
        if len(beyond) and not self.first:
            self.first = tuple(shapely.bounds(mended.geometries[beyond[0]]).tolist())

    def refuse(self, name: str) -> None:
        """Refuse a delivery of which most lies elsewhere: not its features are wrong then, but its coordinate system.

        Raises:
            InputRefusedError: more than half of what has a place is beyond the plane.
        """
        if 2 * self.beyond <= self.placed:
            return
        west, south, east, north = (value / 1000 for value in self.first)
        raise InputRefusedError(
            f"{name}: {self.beyond:,} of {self.placed:,} features lie outside China or far outside the zone of the project's plane"
            f" (the first one at x {west:,.0f} … {east:,.0f} km, y {south:,.0f} … {north:,.0f} km on it), so their coordinate system is"
            " not the one that was declared or given. Give the right one with --src-crs, or name the right file."
        )


@dataclass
class Preparer:
    """Prepares the batches of one delivery one after the other; it remembers only the parcel codes it has seen.

    `to_plane` brings the geometries of a batch to the project's plane and refuses those that contradict the declared system;
    `stated` are the units that a line beside the table names.
    """

    name: str
    definition: LayerDefinition
    plane: GaussPlane
    to_plane: Callable[[Geometries], Geometries]
    mapping: Mapping | None = None
    stated: Stated = NOTHING
    seen: set[str] = field(default_factory=set)
    elsewhere: Elsewhere = field(default_factory=Elsewhere)

    @cached_property
    def _fields(self) -> frozenset[str]:
        return frozenset(field.name for field in self.definition.field)

    @property
    def table(self) -> schema.Table:
        """Return the table that the rows go to."""
        tables = {"parcel": schema.PARCEL, "enterprise": schema.ENTERPRISE, "feature": schema.FEATURE}
        return tables[self.definition.stored]

    def prepare(self, batch: Batch) -> Prepared:
        """Return rows and issues of one batch.

        Raises:
            InputRefusedError: required fields are missing, so it is another layer than was said.
        """
        return self.finish(self.begin(batch))

    def begin(self, batch: Batch) -> Begun:
        """Do what depends on nothing but the batch, which is nearly all; several batches may be begun at once.

        Raises:
            InputRefusedError: required fields are missing, so it is another layer than was said.
        """
        came = batch.attributes.column_names
        if self.mapping is not None:
            batch = replace(batch, attributes=apply(self.mapping, batch.attributes))
        standard = self._standardised(batch)
        # Columns keep their places; what a mapping puts in stands behind them.
        headings = {
            name: heading
            for name, heading in zip(standard.rows.column_names, came, strict=False)
            if name != heading and name in self._fields
        }
        rows = pd.DataFrame({"row_no": np.arange(batch.attributes.num_rows) + batch.first_row})
        records = json_records(standard.rows)
        rows["attributes"] = pd.array(records, dtype=pd.ArrowDtype(records.type))
        if self.definition.stored == "enterprise":
            return Begun(batch, standard, rows, None, headings)
        wkb = np.empty(0, dtype=object) if batch.wkb is None else batch.wkb
        raw, fault = repair.decode(wkb)
        moved = self.to_plane(raw)
        mended = repair.held_to_plane(
            repair.repair(moved, fault, _KINDS[self.definition.geometry]), self.plane.false_easting_m
        )
        measured = np.where(mended.usable, mended.geometries, None)
        rows["area_m2"] = ellipsoidal_areas(measured, self.plane)
        rows["geom"] = _as_they_came(wkb, mended) if moved is raw else mended.geometries
        rows["geom_received"] = mended.received
        if self.definition.stored == "parcel":
            rows["planar_m2"] = shapely.area(measured)
            rows["parcel_id"] = _series(standard.rows, "ZDDM")
            rows["town_code"] = _towns(standard.rows, "ZDDM")
        else:
            rows["layer"] = self.definition.key
            code = self.definition.code
            rows["code"] = None if code is None else _series(standard.rows, code)
            if self.definition.key == "town":
                rows["code"] = rows["code"].map(code_of_town, na_action="ignore").astype(object)
        return Begun(batch, standard, rows, mended, headings)

    def finish(self, begun: Begun) -> Prepared:
        """Return rows and issues of a batch that was begun; batches are finished in their order."""
        batch, standard, rows, mended = begun.batch, begun.standard, begun.rows, begun.mended
        if mended is None:
            return self._enterprises(rows, standard, batch)
        self.elsewhere.look(mended)
        reasons, usable = _geometry_issues(mended, batch.first_row), mended.usable
        if self.definition.stored == "parcel":
            refused = self._refused_parcels(rows, usable)
            reasons = pd.concat([reasons, refused], ignore_index=True)
            usable = usable & ~rows["row_no"].isin(refused["row_no"]).to_numpy()
        issues = pd.concat([standard.faults.assign(action="kept"), reasons], ignore_index=True)
        issues["place"] = _places(mended, issues["row_no"].to_numpy(dtype=np.intp) - batch.first_row)
        issues = self._keyed(issues, rows, standard.rows)
        issues = _with_received(issues, rows, batch, mended.bytes_only)
        kept = rows if usable.all() else rows[usable]
        return Prepared(kept, issues, int((~usable).sum()), standard.remarks)

    def _standardised(self, batch: Batch) -> attributes.Standardised:
        lists = {item.codes: code_names(item.codes) for item in self.definition.field if item.codes}
        standard = attributes.standardise(
            batch.attributes, self.definition.field, lists, first_row=batch.first_row, stated=self.stated
        )
        if standard.missing:
            columns = ", ".join(batch.attributes.column_names) or "none"
            raise InputRefusedError(
                f"{self.name}: it is not a layer {self.definition.key} ({self.definition.title}), because fields are"
                f" missing:\n{listed(standard.missing)}\nIt has: {columns}. Name the right file, the right layer key, or a"
                " mapping file that says which column is which field (--mapping; mapping = … in lowland.toml)."
            )
        return replace(standard, faults=_with_doubts(standard.faults, batch))

    def _enterprises(self, rows: pd.DataFrame, standard: attributes.Standardised, batch: Batch) -> Prepared:
        for name, source in (("credit_code", "TYSHXYDM"), ("year", "NF"), ("parcel_id", "ZDDM")):
            rows[name] = _series(standard.rows, source)
        left_out = pd.DataFrame(
            [(item.row, item.rule, item.words) for item in batch.aside], columns=["row_no", "rule", "message"]
        )
        issues = pd.concat(
            [standard.faults.assign(action="kept"), left_out.assign(action="rejected")], ignore_index=True
        )
        issues = self._keyed(issues, rows, standard.rows)
        issues = _with_received(issues, rows, batch, np.zeros(len(rows), dtype=bool))
        kept = rows if left_out.empty else rows[~rows["row_no"].isin(left_out["row_no"])]
        return Prepared(kept, issues, len(left_out), standard.remarks)

    def _refused_parcels(self, rows: pd.DataFrame, usable: npt.NDArray[np.bool_]) -> pd.DataFrame:
        """Set aside parcels without a code, and those whose code came before; remember the codes."""
        codes = rows["parcel_id"].to_numpy(dtype=object)[usable]
        found: list[tuple[int, str, str]] = []
        distinct = set(codes)
        if len(distinct) == len(codes) and None not in distinct and self.seen.isdisjoint(distinct):
            self.seen |= distinct
        else:
            found = self._doubtful_codes(rows["row_no"].to_numpy()[usable], codes)
        refused = pd.DataFrame(found, columns=["row_no", "rule", "message"])
        return refused.assign(row_no=refused["row_no"].astype(np.int64), action="rejected")

    def _doubtful_codes(
        self, numbers: npt.NDArray[np.int64], codes: Geometries
    ) -> list[tuple[int, str, str]]:
        found: list[tuple[int, str, str]] = []
        for row, code in zip(numbers, codes, strict=True):
            if code is None:
                found.append((row, "parcel_id_missing", "the parcel has no ZDDM"))
            elif code in self.seen:
                found.append((row, "parcel_id_duplicate", "another parcel came first with the same ZDDM"))
            else:
                self.seen.add(code)
        return found

    def _keyed(self, issues: pd.DataFrame, rows: pd.DataFrame, values: pa.Table) -> pd.DataFrame:
        """Name the record of every issue by the identifier of its layer, where it has one."""
        identifier = self.definition.identifier
        if identifier is None or identifier not in values.column_names or issues.empty:
            return issues
        names = _column(values, identifier)
        first = int(rows["row_no"].iloc[0])
        return issues.assign(key=names[issues["row_no"].to_numpy(dtype=np.intp) - first])


def _with_doubts(faults: pd.DataFrame, batch: Batch) -> pd.DataFrame:
    """Add what the reader of the file doubted; a row that is no record has no faults of its own."""
    doubts = pd.DataFrame(
        [(item.row, item.rule, item.words) for item in batch.doubts], columns=["row_no", "rule", "message"]
    )
    if len(doubts):
        faults = pd.concat([faults, doubts.astype({"row_no": np.int64})], ignore_index=True)
    if batch.aside:
        faults = faults[~faults["row_no"].isin([item.row for item in batch.aside])]
    return faults.reset_index(drop=True)


def _as_they_came(wkb: Geometries, mended: repair.Repaired) -> Geometries:
    """Return the received bytes of geometries that nothing was done to, and the geometries of all others."""
    same = (mended.fault == "") & np.array(
        [item is not None and item[:5] in _STORED for item in wkb], dtype=bool
    )
    return np.where(same, wkb, mended.geometries)


def _towns(values: pa.Table, name: str) -> pd.Series[Any]:
    """Return the town that a code begins with, None where it does not begin with digits."""
    if name not in values.column_names:
        return _series(values, name)
    towns = pc.utf8_slice_codeunits(values.column(name), 0, TOWN_DIGITS)
    known = pc.match_substring_regex(towns, rf"^[0-9]{{{TOWN_DIGITS}}}$")
    return _series(pa.table({name: pc.if_else(known, towns, pa.scalar(None, towns.type))}), name)


def _column(values: pa.Table, name: str) -> npt.NDArray[np.object_]:
    if name not in values.column_names:
        return np.full(values.num_rows, None, dtype=object)
    return attributes.objects(values, name)


def _series(values: pa.Table, name: str) -> pd.Series[Any]:
    """Return a column whose missing values stay None."""
    return pd.Series(_column(values, name), dtype=object)


def _geometry_issues(mended: repair.Repaired, first_row: int) -> pd.DataFrame:
    bad = np.flatnonzero(mended.fault != "")
    codes = mended.fault[bad]
    return pd.DataFrame(
        {
            "row_no": bad + first_row,
            "rule": codes,
            "action": np.where(mended.usable[bad], "repaired", "rejected"),
            "message": [_message(mended, int(row), code) for row, code in zip(bad, codes, strict=True)],
        }
    )


def _message(mended: repair.Repaired, row: int, code: str) -> str:
    text = repair.FAULTS[code]
    before = mended.received[row]
    if before is None or shapely.get_dimensions(before) < 2:  # noqa: PLR2004 - a surface
        return text
    return (
        f"{text}: {shapely.area(before):.2f} m² before, {shapely.area(mended.geometries[row]):.2f} m² after"
    )


def _places(mended: repair.Repaired, rows: npt.NDArray[np.intp]) -> Geometries:
    places = np.full(len(rows), None, dtype=object)
    if len(rows):
        usable = mended.usable[rows]
        # Of what is narrower than its coordinates are exact, no point may be inside.
        with np.errstate(invalid="ignore"):
            places[usable] = shapely.point_on_surface(mended.geometries[rows[usable]])
    return places


def _with_received(
    issues: pd.DataFrame, rows: pd.DataFrame, batch: Batch, bytes_only: npt.NDArray[np.bool_]
) -> pd.DataFrame:
    """Keep all that came of a record that is set aside, and the bytes of a geometry that the database does not take as it came."""
    aside = (issues["action"] == "rejected").to_numpy()
    position = issues["row_no"].to_numpy(dtype=np.intp) - batch.first_row
    texts = np.full(len(issues), None, dtype=object)
    shapes = np.full(len(issues), None, dtype=object)
    texts[aside] = rows["attributes"].iloc[position[aside]].to_numpy(dtype=object)
    if batch.wkb is not None:
        kept = aside | (bytes_only[position] & (issues["action"] == "repaired").to_numpy())
        shapes[kept] = batch.wkb[position[kept]]
    return issues.assign(
        received=pd.Series(texts, dtype=object), received_wkb=pd.Series(shapes, dtype=object)
    )


def no_shapes(name: str, key: str) -> InputRefusedError:
    """Return the refusal of a table where a layer needs geometries."""
    words = f"{name}: it holds no geometries, but {key} needs them. Name the right file."
    if name.lower().endswith(".csv"):
        words += f" If two of its columns are coordinates, name them: {name.rpartition('/')[2]}:EAST,NORTH."
    return InputRefusedError(words)


def nothing_left(name: str, key: str, n_rejected: int) -> InputRefusedError:
    """Return the refusal of a delivery that would leave nothing of a layer."""
    why = "it has no rows" if n_rejected == 0 else f"none of its {n_rejected:,} rows can be used"
    return InputRefusedError(
        f"{name}: {why}, so {key} would be empty; nothing was changed. Look at it with: lowland inspect – or, where there is"
        " nothing to deliver, type --allow-empty (in lowland.toml: allow_empty = true)."
    )
