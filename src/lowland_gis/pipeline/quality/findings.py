"""Findings in the database: what a check found, and what became of it over the reruns."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import shapely

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import copy_in
from lowland_gis.db.frames import read_frame
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import who

OPEN, FIXED, ACCEPTED = "open", "fixed", "accepted"

# A place that moves by less than this is the same place.
_PLACE_M = 1.0

_UPDATE = """
UPDATE land.finding AS old SET version_id = new.version_id, severity = new.severity, official = new.official, value = new.value,
    limit_value = new.limit_value, unit = new.unit, message = new.message,
    changed_at = CASE WHEN status = 'fixed' THEN %s ELSE changed_at END,
    status = CASE WHEN status = 'fixed' THEN 'open' ELSE status END
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[], %s::float8[], %s::float8[], %s::text[], %s::text[])
    AS new (digest, version_id, severity, official, value, limit_value, unit, message)
WHERE old.digest = new.digest
"""
_UPDATED = ("digest", "version_id", "severity", "official", "value", "limit_value", "unit", "message")


def with_digests(findings: pd.DataFrame) -> pd.DataFrame:
    """Give each finding its identity: layer, rule, subject, keys and rounded place; equal ones are counted on.

    `keys` are lists; a finding without a place is told apart by `row_no`.
    """
    places = shapely.get_coordinates(shapely.centroid(findings["place"].to_numpy(dtype=object)))
    located = ~shapely.is_missing(findings["place"].to_numpy(dtype=object))
    marks = np.zeros((len(findings), 2))
    marks[located] = np.round(places / _PLACE_M)
    named = ["layer", "rule", "subject", "keys"]
    texts = [
        json.dumps([*row, *(mark if known else [number])], ensure_ascii=False)
        for *row, number, mark, known in zip(
            *(findings[name] for name in named),
            findings["row_no"].tolist(),
            marks.tolist(),
            located,
            strict=True,
        )
    ]
    order = pd.Series(texts).groupby(texts).cumcount()
    digests = [
        hashlib.sha256(f"{text}#{number}".encode()).hexdigest()
        for text, number in zip(texts, order, strict=True)
    ]
    return findings.assign(digest=digests)


def store(
    connection: Connection,
    findings: pd.DataFrame,
    *,
    rules: Collection[str],
    layers: Collection[str],
    srid: int,
) -> None:
    """Keep the findings of one check of some rules and layers; open ones that were not found again are fixed now."""
    now = dt.datetime.now(dt.UTC)
    known = read_frame(
        connection,
        "SELECT digest FROM land.finding WHERE rule = ANY(%s) AND layer = ANY(%s)",
        [list(rules), list(layers)],
    )
    again = findings["digest"].isin(known["digest"])
    rows = findings[~again].drop(columns=["row_no"])
    rows = rows.assign(keys=[json.dumps(keys, ensure_ascii=False) for keys in rows["keys"]])
    constants = {"status": OPEN, "found_at": now, "changed_at": now}
    copy_in(connection, schema.FINDING, rows, srid=srid, constants=constants)
    repeated = findings[again]
    if len(repeated):
        columns = [_plain(repeated[name]) for name in _UPDATED]
        connection.execute(_UPDATE, [now, *columns])
    connection.execute(
        "UPDATE land.finding SET status = 'fixed', changed_at = %s WHERE rule = ANY(%s) AND layer = ANY(%s)"
        " AND status = 'open' AND NOT digest = ANY(%s)",
        [now, list(rules), list(layers), findings["digest"].tolist()],
    )


def _plain(values: pd.Series[Any]) -> list[Any]:
    return values.astype(object).where(values.notna(), None).tolist()


def listed_findings(
    connection: Connection, rules: Sequence[str], statuses: Sequence[str] = (OPEN,)
) -> pd.DataFrame:
    """Return findings of some rules with the centre of their place, the oldest first."""
    return read_frame(
        connection,
        "SELECT finding_id, rule, layer, severity, official, subject, keys, value, limit_value, unit, message, status,"
        " accepted_by, accepted_why, round(ST_X(ST_Centroid(place))::numeric, 1)::float8 AS east_m,"
        " round(ST_Y(ST_Centroid(place))::numeric, 1)::float8 AS north_m"
        " FROM land.finding WHERE rule = ANY(%s) AND status = ANY(%s) ORDER BY finding_id",
        [list(rules), list(statuses)],
    )


def accept(connection: Connection, numbers: Sequence[int], why: str) -> int:
    """Accept findings with a reason, so that they no longer count; return how many.

    Raises:
        UsageError: the reason is empty, or a number is no open finding; then none is accepted.
    """
    if not why.strip():
        raise UsageError("An accepted finding needs a reason that holds next year too. Type: --why TEXT")
    connection.execute(
        "UPDATE land.finding SET status = 'accepted', changed_at = %s, accepted_by = %s, accepted_why = %s"
        " WHERE finding_id = ANY(%s) AND status = 'open'",
        [dt.datetime.now(dt.UTC), who(), why.strip(), list(numbers)],
    )
    # Whoever types the same again, for the answer was lost, has accepted them already.
    held = connection.execute(
        "SELECT finding_id FROM land.finding WHERE finding_id = ANY(%s) AND status = 'accepted' AND accepted_by = %s AND accepted_why = %s",
        [list(numbers), who(), why.strip()],
    ).fetchall()
    missing = sorted(set(numbers) - {row[0] for row in held})
    if missing:
        raise UsageError(
            f"No open finding has the number {', '.join(map(str, missing))}, so none was accepted."
            " The numbers are shown by: lowland check show RULE"
        )
    return len(held)
