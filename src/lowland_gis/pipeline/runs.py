"""The record of runs: what each stage read, with which settings, and whether it has to run at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from psycopg.types.json import Jsonb

from lowland_gis import __version__
from lowland_gis.db.connect import Connection
from lowland_gis.errors import UsageError


@dataclass(frozen=True)
class Run:
    """One run of a stage; `fresh` is false where an equal run was there already."""

    run_id: int
    stage: str
    digest: str
    fresh: bool


@dataclass(frozen=True)
class Version:
    """One current delivery of a layer."""

    version_id: int
    layer: str
    part: str | None
    as_of: dt.date | None
    digest: str

    @property
    def label(self) -> str:
        """Return the layer with its date, as evidence cites it."""
        return self.layer if self.as_of is None else f"{self.layer} {self.as_of.isoformat()}"

    @property
    def cited(self) -> str:
        """Return the label with the number of the delivery, which tells two deliveries of one day apart."""
        return f"{self.label} v{self.version_id}"


def digest_of(content: Any) -> str:
    """Return the digest of anything that JSON holds, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def current_versions(connection: Connection) -> dict[str, list[Version]]:
    """Return the current deliveries by layer: the newest of each part; a whole delivery replaces every earlier part."""
    rows = connection.execute(
        "SELECT version_id, layer, part, as_of, digest FROM ("
        " SELECT DISTINCT ON (layer, part) version_id, layer, part, as_of, digest,"
        "  max(version_id) FILTER (WHERE part IS NULL) OVER (PARTITION BY layer) AS whole"
        " FROM land.layer_version ORDER BY layer, part, version_id DESC) AS newest"
        " WHERE part IS NULL OR whole IS NULL OR version_id > whole ORDER BY layer, part, version_id"
    ).fetchall()
    versions: dict[str, list[Version]] = {}
    for row in rows:
        versions.setdefault(row[1], []).append(Version(*row))
    return versions


def latest_run(connection: Connection, stage: str) -> Run | None:
    """Return the newest run of a stage."""
    row = connection.execute(
        "SELECT run_id, digest FROM result.run WHERE stage = %s ORDER BY run_id DESC LIMIT 1", [stage]
    ).fetchone()
    return None if row is None else Run(row[0], stage, row[1], fresh=False)


def needed_run(connection: Connection, stage: str) -> Run:
    """Return the newest run of a stage that another one rests on.

    Raises:
        UsageError: the stage has not run yet.
    """
    run = latest_run(connection, stage)
    if run is None:
        raise UsageError(f"Nothing was found of the stage {stage}. Type: lowland run --to {stage}")
    return run


def recorded(
    connection: Connection,
    stage: str,
    *,
    inputs: Mapping[str, Any],
    settings: Mapping[str, Any],
    work: Callable[[int], None],
) -> Run:
    """Do the work of a stage under a new run, unless the newest run had the same inputs and settings.

    `inputs` and `settings` hold only JSON; together with the code version they make the digest.
    """
    # Two runs of a stage at once queue; the second one finds what the first has made.
    connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"lowland {stage}"])
    digest = digest_of([stage, __version__, inputs, settings])
    latest = latest_run(connection, stage)
    if latest is not None and latest.digest == digest:
        return latest
    started = dt.datetime.now(dt.UTC)
    row = connection.execute(
        "INSERT INTO result.run (stage, started_at, finished_at, code_version, inputs, settings, digest)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s) RETURNING run_id",
        [stage, started, started, __version__, Jsonb(inputs), Jsonb(settings), digest],
    ).fetchone()
    run_id = int(row[0]) if row else 0
    work(run_id)
    connection.execute(
        "UPDATE result.run SET finished_at = %s WHERE run_id = %s", [dt.datetime.now(dt.UTC), run_id]
    )
    return Run(run_id, stage, digest, fresh=True)


def run_settings(connection: Connection, run_id: int, stage: str) -> dict[str, Any]:
    """Return the settings that a run of a stage recorded.

    Raises:
        UsageError: there is no such run, or it is one of another stage.
    """
    return dict(_record(connection, run_id, stage)["settings"])


def run_inputs(connection: Connection, run_id: int, stage: str) -> dict[str, Any]:
    """Return the inputs that a run of a stage recorded.

    Raises:
        UsageError: there is no such run, or it is one of another stage.
    """
    return dict(_record(connection, run_id, stage)["inputs"])


def record_holds(connection: Connection, run_id: int, stage: str) -> bool:
    """Say whether the digest of a run is still that of its recorded inputs and settings.

    Raises:
        UsageError: there is no such run, or it is one of another stage.
    """
    record = _record(connection, run_id, stage)
    return bool(
        record["digest"] == digest_of([stage, record["code_version"], record["inputs"], record["settings"]])
    )


def _record(connection: Connection, run_id: int, stage: str) -> dict[str, Any]:
    row = connection.execute(
        "SELECT stage, settings, inputs, digest, code_version FROM result.run WHERE run_id = %s", [run_id]
    ).fetchone()
    if row is None or row[0] != stage:
        what = "There is no run {}." if row is None else "Run {} is of the stage " + f"{row[0]}, not {stage}."
        known = latest_run(connection, stage)
        newest = "" if known is None else f" The newest run of {stage} is {known.run_id}, or: latest"
        raise UsageError(what.format(run_id) + newest)
    return dict(zip(("stage", "settings", "inputs", "digest", "code_version"), row, strict=True))
