"""The record of runs: what each stage read, with which settings, and whether it has to run at all."""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from psycopg.types.json import Jsonb

from lowland_gis.db.connect import Connection
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.base.program import program_version


@dataclass(frozen=True)
class Run:
    """One run of a stage; `fresh` is false where an equal run was there already."""

    run_id: int
    stage: str
    digest: str
    fresh: bool


@dataclass(frozen=True)
class Record:
    """What a run recorded of itself: the program, what it read, and its settings."""

    run_id: int
    stage: str
    started_at: dt.datetime
    code_version: str
    inputs: dict[str, Any]
    settings: dict[str, Any]
    digest: str
    engine: str | None = None

    @property
    def holds(self) -> bool:
        """Return whether the digest is still that of the recorded inputs and settings."""
        return self.digest == digest_of([self.stage, self.code_version, self.inputs, self.settings])

    def part(self, inputs: dict[str, Any], settings: dict[str, Any]) -> Record:
        """Return what the run would have recorded of a part of its work."""
        digest = digest_of([self.stage, self.code_version, inputs, settings])
        return replace(self, inputs=inputs, settings=settings, digest=digest)


@dataclass(frozen=True)
class Request:
    """All that a stage would rest on if it ran now; a run that recorded the same holds already.

    `inputs` and `settings` hold only JSON; together with the program they make the digest.
    """

    stage: str
    inputs: Mapping[str, Any]
    settings: Mapping[str, Any]

    @cached_property
    def digest(self) -> str:
        """Return the digest of stage, program, inputs and settings."""
        return digest_of([self.stage, program_version(), self.inputs, self.settings])


@dataclass(frozen=True)
class Version:
    """One delivery of a layer."""

    version_id: int
    layer: str
    part: str | None
    as_of: dt.date | None
    digest: str
    loaded_at: dt.datetime | None = None
    rest_of: int | None = None

    @property
    def is_whole(self) -> bool:
        """Return whether it came as a whole, also where parts have taken the place of pieces of it since."""
        return self.part is None or self.rest_of is not None

    @property
    def label(self) -> str:
        """Return the layer with its date, as evidence cites it."""
        return self.layer if self.as_of is None else f"{self.layer} {self.as_of.isoformat()}"

    @property
    def cited(self) -> str:
        """Return the label with the number of the delivery, which tells two deliveries of one day apart."""
        return f"{self.label} v{self.version_id}"


Versions = dict[str, list[Version]]


def digest_of(content: Any) -> str:
    """Return the digest of anything that JSON holds, whatever the order of its keys."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def current_versions(connection: Connection) -> Versions:
    """Return the current deliveries by layer: the newest of each part; a whole delivery replaces every earlier part.

    Where parts have taken the place of pieces of a whole, what they left of it is a delivery too (`rest_of` says of which).
    """
    rows = connection.execute(
        "SELECT version_id, layer, part, as_of, digest, loaded_at, rest_of FROM land.current_version"
        " ORDER BY layer, part, version_id"
    ).fetchall()
    return _by_layer(rows)


def recorded_versions(connection: Connection, run_id: int, recorded: Mapping[str, str]) -> Versions:
    """Return the deliveries that a run recorded (number → digest) by layer.

    Raises:
        InputRefusedError: one is not there any more, or is another one.
    """
    rows = connection.execute(
        "SELECT version_id, layer, part, as_of, digest, loaded_at, rest_of FROM land.layer_version WHERE version_id = ANY(%s)"
        " ORDER BY layer, part, version_id",
        [[int(number) for number in recorded]],
    ).fetchall()
    there = {str(row[0]): row[4] for row in rows}
    lost = [number for number, digest in recorded.items() if there.get(number) != digest]
    if lost:
        raise InputRefusedError(
            f"Run {run_id} rests on deliveries that are not in this database any more (versions {', '.join(lost)}),"
            " so it cannot be made again. Restore a copy of the database of that day with pg_restore, and name it in LOWLAND_DSN."
        )
    return _by_layer(rows)


def versions_before(connection: Connection, current: Sequence[Version]) -> list[Version]:
    """Return for each delivery the one of an earlier day that it took the place of; none where one of them has none.

    A delivery without a day has none before it, and what parts left of a whole stands for that whole.
    """
    found: dict[int, Version] = {}
    for version in current:
        part = None if version.rest_of is not None else version.part
        rows = connection.execute(
            "SELECT version_id, layer, part, as_of, digest, loaded_at, rest_of FROM land.layer_version WHERE layer = %s"
            " AND part IS NOT DISTINCT FROM %s AND rest_of IS NULL AND as_of < %s ORDER BY as_of DESC, version_id DESC LIMIT 1",
            [version.layer, part, version.as_of],
        ).fetchall()
        if not rows:
            return []
        found |= {one.version_id: one for ones in _by_layer(rows).values() for one in ones}
    return list(found.values())


def numbered(versions: Sequence[Version]) -> dict[str, str]:
    """Return deliveries as a run records them: number → digest."""
    return {str(version.version_id): version.digest for version in versions}


def _by_layer(rows: Sequence[tuple[Any, ...]]) -> Versions:
    versions: Versions = {}
    for row in rows:
        versions.setdefault(row[1], []).append(Version(*row))
    return versions


def latest_record(connection: Connection, stage: str) -> Record | None:
    """Return the newest run of a stage."""
    return _one(connection, "stage = %s ORDER BY run_id DESC LIMIT 1", stage)


def needed_record(connection: Connection, stage: str) -> Record:
    """Return the newest run of a stage that another one rests on.

    Raises:
        UsageError: the stage has not run yet.
    """
    found = latest_record(connection, stage)
    if found is None:
        raise UsageError(f"Nothing was found of the stage {stage}. Type: lowland run --to {stage}")
    return found


def record_of(connection: Connection, run_id: int, stage: str) -> Record:
    """Return what a run of a stage recorded.

    Raises:
        UsageError: there is no such run, or it is one of another stage.
    """
    found = found_record(connection, run_id)
    if found is None or found.stage != stage:
        what = (
            f"There is no run {run_id}."
            if found is None
            else f"Run {run_id} is of the stage {found.stage}, not {stage}."
        )
        known = latest_record(connection, stage)
        newest = "" if known is None else f" The newest run of {stage} is {known.run_id}, or: latest"
        raise UsageError(what + newest)
    return found


def found_record(connection: Connection, run_id: int) -> Record | None:
    """Return what a run recorded, whatever its stage; None where it was thrown away."""
    return _one(connection, "run_id = %s", run_id)


def _one(connection: Connection, condition: str, value: object) -> Record | None:
    row = connection.execute(
        "SELECT run_id, stage, started_at, code_version, inputs, settings, digest, engine FROM result.run WHERE "  # noqa: S608 - fixed words
        + condition,
        [value],
    ).fetchone()
    return None if row is None else Record(*row)


def recorded(connection: Connection, request: Request, work: Callable[[int], None]) -> Run:
    """Do the work of a stage under a new run, unless the newest run rests on all the same.

    The connection is one of `Project.turn`, so that of two runs at once the second one finds what the first has made.
    """
    latest = latest_record(connection, request.stage)
    if latest is not None and latest.digest == request.digest:
        return Run(latest.run_id, latest.stage, latest.digest, fresh=False)
    started = dt.datetime.now(dt.UTC)
    row = connection.execute(
        "INSERT INTO result.run (stage, started_at, finished_at, code_version, engine, inputs, settings, digest)"
        " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING run_id",
        [request.stage, started, started, program_version(), request.settings.get("engine"), Jsonb(request.inputs),
         Jsonb(request.settings), request.digest],
    ).fetchone()  # fmt: skip
    run_id = int(row[0]) if row else 0
    work(run_id)
    connection.execute(
        "UPDATE result.run SET finished_at = %s WHERE run_id = %s", [dt.datetime.now(dt.UTC), run_id]
    )
    return Run(run_id, request.stage, request.digest, fresh=True)
