"""What was delivered that promises are held against: yearly figures of firms, and when works on supplied land began and ended."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any

from lowland_gis.analysis.registry.promises import INVESTMENT, OUTPUT, TAX, Figures, Works
from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.base.requests import TABULATE
from lowland_gis.pipeline.base.runs import current_versions, latest_record

# What of a firm: its total, and the intensity of a parcel, which its land makes a sum.
_COLUMNS = {TAX: ("SSZE", "MJSS"), OUTPUT: ("CZZE", "MJCC"), INVESTMENT: ("TZZE", "MJTZ")}
_LAND = "ZDMJM"
# A contract of supplied land is that of a parcel from this share of it on, as measures of contracts take it.
_SHARE = 0.5


def delivered_figures(connection: Connection, firms: Sequence[str]) -> Figures:
    """Return the figures of some firms, of the tables in force, in 万元."""
    years = connection.execute("SELECT DISTINCT year FROM land.current_enterprise WHERE year IS NOT NULL")
    rows = connection.execute(
        "SELECT credit_code, year, parcel_id, attributes FROM land.current_enterprise WHERE credit_code = ANY(%s) AND year IS NOT NULL"
        " ORDER BY enterprise_id",
        [list(firms)],
    )
    parcels: dict[tuple[str, int], dict[str, dict[str, float | None]]] = {}
    stated: dict[tuple[str, int], dict[str, set[float]]] = {}
    for firm, year, parcel, attributes in rows:
        parcels.setdefault((firm, year), {})[parcel or ""] = {
            what: _product(attributes, intensity) for what, (_, intensity) in _COLUMNS.items()
        }
        for what, (total, _) in _COLUMNS.items():
            value = _number(attributes.get(total))
            if value is not None:
                stated.setdefault((firm, year), {}).setdefault(what, set()).add(value)
    # A total that a firm states otherwise in another row is none.
    totals = {
        key: {what: next(iter(values)) if len(values) == 1 else None for what, values in said.items()}
        for key, said in stated.items()
    }
    return Figures(frozenset(int(year) for (year,) in years), parcels, totals)


def delivered_works(connection: Connection, parcels: Sequence[str]) -> Works:
    """Return when works on some parcels began and ended, by the contracts of supplied land that lie on them (供地台账)."""
    record = latest_record(connection, TABULATE)
    versions = current_versions(connection).get("supply", [])
    if record is None or not versions:
        return Works(None)
    rows = connection.execute(
        "SELECT overlap.parcel_id, feature.attributes->>'SJJDSJ', feature.attributes->>'SJDGSJ' FROM result.overlap"
        " JOIN land.current_feature AS feature ON feature.version_id = ANY(%s) AND feature.feature_id = overlap.code::bigint"
        " WHERE overlap.run_id = %s AND overlap.layer = 'supply' AND overlap.share >= %s AND overlap.parcel_id = ANY(%s)"
        " ORDER BY overlap.parcel_id, feature.attributes->>'HTQDRQ' NULLS FIRST",
        [[version.version_id for version in versions], record.run_id, _SHARE, list(parcels)],
    ).fetchall()
    days = [version.as_of for version in versions if version.as_of is not None]
    return Works(
        min(days, default=None),
        {parcel: _day(started) for parcel, started, _ in rows},
        {parcel: _day(finished) for parcel, _, finished in rows},
    )


def _product(attributes: dict[str, Any], intensity: str) -> float | None:
    value, land = _number(attributes.get(intensity)), _number(attributes.get(_LAND))
    return None if value is None or land is None else value * land


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _day(text: str | None) -> dt.date | None:
    return None if not text else dt.date.fromisoformat(text)
