"""Bring one delivery into `land`: as a whole in one transaction, with every doubt as a row of `land.issue`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from psycopg.types.json import Jsonb

from lowland_gis import schema
from lowland_gis.db.connect import Connection
from lowland_gis.db.copy import Encoded, encoded, send
from lowland_gis.db.parts import PART_SCHEMA, attach_part, new_part
from lowland_gis.definitions.layer import LayerDefinition, layer_definition
from lowland_gis.files import crs as reference
from lowland_gis.files import transform
from lowland_gis.files.batches import Batch, Received, bounds
from lowland_gis.files.consents import Consents
from lowland_gis.files.datum import path_with
from lowland_gis.files.source import Source
from lowland_gis.pipeline.base.absent import fields_absent, record_absent
from lowland_gis.pipeline.base.headings import record_headings
from lowland_gis.pipeline.base.project import Project, who
from lowland_gis.pipeline.base.runs import Versions, current_versions
from lowland_gis.pipeline.base.telling import Tell, Watch, silent, unwatched
from lowland_gis.pipeline.intake.by_town import by_town, replaced_by
from lowland_gis.pipeline.intake.delivery import Begun, begun
from lowland_gis.pipeline.intake.gcj02 import beside
from lowland_gis.pipeline.intake.options import Said, read_said
from lowland_gis.pipeline.intake.part_of_whole import Meaning, Taken, meaning, take_place
from lowland_gis.pipeline.intake.raster_check import checked_raster
from lowland_gis.pipeline.intake.replacing import (
    refuse_older,
    refuse_same_file,
    refuse_taken_back,
)
from lowland_gis.pipeline.intake.rows import Geometries, Preparer, no_shapes, nothing_left
from lowland_gis.pipeline.intake.there_already import Loaded, delivery_digest, same_delivery
from lowland_gis.pipeline.threads.ahead import worked
from lowland_gis.settings import DeliverySettings

# Most of the work on a batch leaves Python's lock alone, so two batches at a time keep two cores busy; more would only cost memory.
_WORKERS = 2


def ingest(
    project: Project,
    delivery: DeliverySettings,
    *,
    back: bool = True,
    dry_run: bool = False,
    watch: Watch = unwatched,
    tell: Tell = silent,
) -> Loaded:
    """Load one delivery, or say that it is there already. Memory does not grow with the size of the file.

    `watch` is told how many rows are loaded, and of how many where the file says so. Without `back` a file that was loaded before
    and has been replaced since is refused. Where a part takes the place of its pieces of a whole delivery, `tell` hears the difference
    before it is in force.

    Raises:
        UsageError: there is no such layer key, or it cannot be told which pieces of the whole a part stands for.
        InputRefusedError: the file cannot be taken for what it is; nothing of it was loaded.
    """
    layer_definition(delivery.layer)
    consents = Consents(delivery.gcj02, delivery.conversion)
    with begun(delivery.source, project.settings.folder, delivery.encoding, consents) as arriving:
        return ingest_begun(project, delivery, arriving, back=back, dry_run=dry_run, watch=watch, tell=tell)


def ingest_begun(
    project: Project,
    delivery: DeliverySettings,
    arriving: Begun,
    *,
    back: bool = True,
    dry_run: bool = False,
    watch: Watch = unwatched,
    tell: Tell = silent,
) -> Loaded:
    """Load one delivery whose file is open already; everything else is as with `ingest`."""
    definition = layer_definition(delivery.layer)
    said = read_said(project, delivery)
    source = arriving.source
    digest = delivery_digest(arriving.digest(), source, definition, said)
    with project.transaction(dry_run=dry_run) as connection:
        # One delivery of a layer at a time; readers are not held up.
        connection.execute("LOCK TABLE land.layer_version IN SHARE ROW EXCLUSIVE MODE")
        current = current_versions(connection)
        told = meaning(connection, delivery, current)
        same = same_delivery(connection, delivery, digest, current, back=back)
        if same is not None:
            return same
        refuse_same_file(connection, delivery, arriving.digest(), source.layer)
        refuse_older(connection, delivery, _as_of(project, delivery))
        if not back:
            refuse_taken_back(connection, delivery, digest)
        loading = _Loading(connection, project, delivery, digest, said, current, told, tell)
        if definition.stored == "raster":
            return loading.raster(source)
        return loading.rows(source, definition, arriving.received(), watch)


def _as_of(project: Project, delivery: DeliverySettings) -> dt.date | None:
    return delivery.as_of or layer_definition(delivery.layer).as_of or project.settings.project.as_of


@dataclass(frozen=True)
class _Loading:
    """The way of one delivery into the database, inside one transaction."""

    connection: Connection
    project: Project
    delivery: DeliverySettings
    digest: str
    said: Said
    current: Versions
    told: Meaning | None
    tell: Tell

    def rows(self, source: Source, definition: LayerDefinition, arrived: Received, watch: Watch) -> Loaded:
        """Load the batches of a vector layer or a table: one is copied while the next ones are prepared."""
        if definition.stored != "enterprise" and not arrived.has_geometry:
            raise no_shapes(source.name, definition.key)
        plane = _Plane(self.project, self.delivery, source, arrived, self.said)
        preparer = Preparer(
            source.name, definition, self.project.plane, plane.bring, self.said.mapping, arrived.stated
        )
        # Before the new version is there: a district is held against the one before it.
        neighbour = beside(self.connection, self.project.plane)
        current = self.current
        version_id = self._version(
            self._source(source, arrived, plane.found if arrived.has_geometry else None)
        )
        part = new_part(self.connection, preparer.table, version_id)
        n_read = n_loaded = n_rejected = n_issues = 0
        remarks: list[tuple[str, str]] = []
        columns: set[str] = set()
        headings: dict[str, str] = {}
        with ThreadPoolExecutor(max_workers=1) as copier:
            copied: Future[Any] = copier.submit(bool)
            for begun in worked(_or_none(arrived), preparer.begin, workers=_WORKERS):
                prepared = preparer.finish(begun)
                # Put into bytes here and sent there, so that the server never waits for the next rows.
                rows = self._encoded(part, prepared.rows, version_id)
                copied.result()
                copied = copier.submit(self._send, rows, prepared.issues, version_id)
                neighbour.look(begun.mended)
                columns |= set(begun.standard.rows.column_names)
                headings |= begun.headings
                n_read += len(begun.rows)
                n_loaded += len(prepared.rows)
                n_rejected += prepared.n_rejected
                n_issues += len(prepared.issues)
                remarks += prepared.remarks
                watch(n_read, arrived.n_rows)
            copied.result()
        if n_loaded + n_rejected != n_read:
            raise AssertionError(f"{source.name}: read {n_read}, loaded {n_loaded}, rejected {n_rejected}")
        preparer.elsewhere.refuse(source.name)
        if n_loaded == 0 and not self.delivery.allow_empty:
            raise nothing_left(source.name, self.delivery.layer, n_rejected)
        if definition.key != "district":
            neighbour.refuse_far(source.name)
        attach_part(self.connection, preparer.table, version_id)
        replaced = replaced_by(current, definition.key, self.delivery.part)
        towns = by_town(self.connection, definition, version_id, replaced, current)
        taken = self._take_place(version_id)
        whole = _whole([*source.doubts, *plane.doubts, *arrived.doubts, *remarks, *taken.doubts])
        doubts = pd.concat(
            [whole, neighbour.issues(), towns.issues()],
            ignore_index=True,
        )
        self._copy_issues(doubts, version_id)
        self._count(version_id, n_read, n_loaded, n_rejected)
        record_absent(self.connection, version_id, fields_absent(definition, columns))
        record_headings(self.connection, version_id, headings)
        encoding = arrived.encoding.name if arrived.encoding else None
        return Loaded(
            self.delivery.layer,
            version_id,
            n_read,
            n_loaded,
            n_rejected,
            n_issues + len(doubts),
            encoding,
            fresh=True,
            warnings=tuple(doubts.get("message", ())),
            by_town=towns.text(),
            towns_missing=tuple(towns.missing),
        )

    def _take_place(self, version_id: int) -> Taken:
        """Put a part in the place of its pieces of a whole delivery, where one is in force, and tell the difference before it is kept."""
        if self.told is None:
            return Taken("")
        taken = take_place(
            self.connection, self.delivery, version_id, self.told, self.current, srid=self.project.srid
        )
        self.tell(taken.text)
        return taken

    def raster(self, source: Source) -> Loaded:
        """Note where a raster lies; it stays a file."""
        checked = checked_raster(source, self.project.settings.project.crs, self.delivery.src_crs)
        neighbour = beside(self.connection, self.project.plane)
        neighbour.look_at(checked.header.bounds)
        neighbour.refuse_far(source.name)
        version_id = self._version(self._source(source, None, checked.system))
        self.connection.execute(
            "INSERT INTO land.raster (version_id, path, band) VALUES (%s, %s, 1)",
            [version_id, str(source.path.absolute())],
        )
        doubts = pd.concat([_whole(checked.doubts), neighbour.issues()], ignore_index=True)
        self._copy_issues(doubts, version_id)
        self._count(version_id, 1, 1, 0)
        warnings = tuple(doubts.get("message", ()))
        return Loaded(
            self.delivery.layer, version_id, 1, 1, 0, len(doubts), None, fresh=True, warnings=warnings
        )

    def _encoded(self, table: schema.Table, rows: pd.DataFrame, version_id: int) -> Encoded:
        return encoded(
            table,
            rows,
            srid=self.project.srid,
            constants={"version_id": version_id},
            made_here=table.schema == PART_SCHEMA,
        )

    def _send(self, rows: Encoded, issues: pd.DataFrame, version_id: int) -> None:
        send(self.connection, rows)
        self._copy_issues(issues, version_id)

    def _copy_issues(self, issues: pd.DataFrame, version_id: int) -> None:
        if len(issues):
            send(self.connection, self._encoded(schema.ISSUE, issues, version_id))

    def _source(self, source: Source, arrived: Received | None, system: str | None) -> int:
        encoding = arrived.encoding if arrived else None
        layer = source.layer or (arrived.layer if arrived else None)
        return _one(
            self.connection,
            "INSERT INTO land.source (path, layer_name, driver, sha256, size_bytes, encoding, encoding_reason, crs)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s) RETURNING source_id",
            [
                source.name, layer, source.driver, source.sha256, source.size_bytes,
                encoding.name if encoding else None, encoding.reason if encoding else None, system,
            ],
        )  # fmt: skip

    def _version(self, source_id: int) -> int:
        delivery = self.delivery
        as_of = _as_of(self.project, delivery)
        return _one(
            self.connection,
            "INSERT INTO land.layer_version (layer, part, source_id, as_of, digest, options, loaded_at, loaded_by,"
            " n_read, n_loaded, n_rejected) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, 0, 0, 0) RETURNING version_id",
            [
                delivery.layer, delivery.part, source_id, as_of, self.digest, Jsonb(self.said.options),
                dt.datetime.now(dt.UTC), who(),
            ],
        )  # fmt: skip

    def _count(self, version_id: int, n_read: int, n_loaded: int, n_rejected: int) -> None:
        self.connection.execute(
            "UPDATE land.layer_version SET n_read = %s, n_loaded = %s, n_rejected = %s WHERE version_id = %s",
            [n_read, n_loaded, n_rejected, version_id],
        )


class _Plane:
    """Brings batches to the project's plane; the first one decides how, every one is held against its declaration."""

    def __init__(
        self, project: Project, delivery: DeliverySettings, source: Source, arrived: Received, said: Said
    ) -> None:
        self._where = source.name
        self._declared, self._given = arrived.declared_crs, delivery.src_crs
        system = (
            reference.resolve(self._declared, self._given, np.full(4, np.nan), source.name)
            if arrived.has_geometry
            else None
        )
        self.found = None if system is None else system.name
        target = reference.reference(project.settings.project.crs, source.name)
        self._way: transform.Way | None = None
        self.doubts: tuple[tuple[str, str], ...] = ()
        if system is not None and said.datum is not None:
            self._way = path_with(said.datum, system, target)
        elif system is not None:
            self._way = transform.path_between(system, target, source.name)
            words = transform.null_shift(system, target)
            self.doubts = ((transform.NULL_SHIFT, words),) if words else ()

    def bring(self, geometries: Geometries) -> Geometries:
        """Return the geometries of a batch on the project's plane."""
        reference.resolve(self._declared, self._given, bounds(geometries), self._where)
        return transform.transformed(geometries, self._way)


def _whole(doubts: Sequence[tuple[str, str]]) -> pd.DataFrame:
    """Return the doubts about a delivery as a whole as rows of `land.issue`."""
    return pd.DataFrame(
        [
            {"row_no": 0, "rule": rule, "action": "kept", "message": words, "place": None}
            for rule, words in doubts
        ]
    )


def _or_none(arrived: Received) -> Iterator[Batch]:
    """Yield the batches; a layer without rows is one empty batch, so that its fields are checked all the same."""
    found = False
    for batch in arrived.batches:
        found = True
        yield batch
    if not found:
        yield Batch.empty(arrived.columns, has_geometry=arrived.has_geometry)


def _one(connection: Connection, statement: Any, parameters: list[Any]) -> int:
    row = connection.execute(statement, parameters).fetchone()
    if row is None:
        raise AssertionError("an INSERT … RETURNING gives one row")
    return int(row[0])
