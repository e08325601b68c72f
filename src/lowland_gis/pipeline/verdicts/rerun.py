"""Make a classification again from the land that it rests on, and prove that every row is the same."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from lowland_gis.analysis.measures.values import LayerOverlaps
from lowland_gis.analysis.rules.changes import table_differences
from lowland_gis.analysis.rules.decide import decide
from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame
from lowland_gis.definitions.own import CODES, LAYERS, MEASURES, in_use
from lowland_gis.errors import InputRefusedError
from lowland_gis.pipeline.base.basis import Basis, basis_of
from lowland_gis.pipeline.base.papers import current_documents, said_rows
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DEFINITIONS
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.base.telling import Passing, Tell, silent
from lowland_gis.pipeline.base.towns import CLAIM_MIN
from lowland_gis.pipeline.evidence.facts import facts_from, measured_units, places_of
from lowland_gis.pipeline.evidence.found import evidence
from lowland_gis.pipeline.evidence.inputs import Inputs, read_inputs
from lowland_gis.pipeline.evidence.overlaps import StoredOverlaps
from lowland_gis.pipeline.evidence.rasters import delivered_rasters
from lowland_gis.pipeline.evidence.stored import COLUMNS, Measured, read_rows
from lowland_gis.pipeline.overlaps.tabulate import layer_overlaps
from lowland_gis.pipeline.verdicts.classify import derived_columns

_VERDICT_KEY = ["question", "parcel_id"]
_DIFFERENCE = ["table", "key", "column", "recorded", "rebuilt"]
_VERDICT_COLUMNS = [*_VERDICT_KEY, "answer", "settled", "rule", "candidate", "trace"]


@dataclass(frozen=True)
class Proof:
    """What was compared (table → rows), what differs (table, key, column, recorded, rebuilt), and what could not be made again."""

    run_id: int
    compared: dict[str, int]
    differences: pd.DataFrame
    notes: tuple[str, ...]


def rerun(project: Project, run: str, *, tell: Tell = silent) -> Proof:
    """Make overlaps, evidence and verdicts of a classification again from its recorded deliveries, papers and rules; write nothing.

    Raises:
        UsageError: there is no such run.
        InputRefusedError: a delivery that it rests on is not there any more.
    """
    with project.snapshot() as connection:
        return _Rebuilt(connection, project, basis_of(connection, run), tell).proof()


@dataclass(frozen=True)
class _MadeOverlaps:
    """Overlaps that are made again, and compared with those that were recorded."""

    connection: Connection
    project: Project
    versions: Versions
    recorded: StoredOverlaps
    report: Any

    def layer(self, layer: str, parcels: pd.Index[Any]) -> LayerOverlaps:
        """Return the overlaps of parcels with a layer."""
        return LayerOverlaps.of(parcels, self._frame(layer))

    def _frame(self, layer: str) -> pd.DataFrame:
        if layer not in self.versions:
            return self.recorded.frame(layer)
        made = layer_overlaps(self.connection, self.project, self.versions, layer)
        self.report("overlap", layer, self.recorded.frame(layer), made, ["parcel_id", "code"])
        return made


class _Rebuilt:
    """A classification made again, step by step."""

    def __init__(self, connection: Connection, project: Project, basis: Basis, tell: Tell) -> None:
        self._connection, self._basis, self._tell = connection, basis, tell
        self._run_id, self._measure_run = basis.run_id, basis.measured.run_id
        self._inputs, self._pack = basis.measured.inputs, basis.pack
        day = project.settings.project.model_copy(update={"as_of": basis.as_of})
        claim = basis.measured.settings.get(CLAIM_MIN, project.settings.measure.town_claim_min)
        measuring = project.settings.measure.model_copy(update={CLAIM_MIN: claim})
        engine = basis.tabulated.engine or project.settings.tabulate.engine
        tabulating = project.settings.tabulate.model_copy(update={"engine": engine})
        changes = {"project": day, "measure": measuring, "tabulate": tabulating}
        made = project.settings.model_copy(update=changes)
        self._project = replace(project, settings=made)
        self._compared: dict[str, int] = {}
        self._found: list[pd.DataFrame] = []
        self._notes: list[str] = []

    def proof(self) -> Proof:
        """Compare the records of the runs, overlaps, evidence and verdicts."""
        self._records()
        self._rasters()
        inputs = self._read()
        rows = pd.concat(list(self._evidence(inputs)), ignore_index=True)
        self._verdicts(inputs, rows)
        found = [frame for frame in self._found if len(frame)]
        differences = pd.concat(found, ignore_index=True) if found else pd.DataFrame(columns=["table"])
        return Proof(self._run_id, self._compared, differences, tuple(self._notes))

    def _records(self) -> None:
        runs = (self._basis.classified, self._basis.measured, self._basis.tabulated)
        changed = [f"run {run.run_id} {run.stage}" for run in runs if not run.holds]
        self._compared["run"] = len(runs)
        programs = sorted({run.code_version for run in runs} - {program_version()})
        if programs:
            self._notes.append(
                f"Made by lowland {', '.join(programs)}, made again by {program_version()}: sources or definitions are others now."
            )
        self._own_definitions()
        self._found.append(
            pd.DataFrame(
                {
                    "table": "run",
                    "key": changed,
                    "column": "digest",
                    "recorded": "of other content",
                    "rebuilt": "",
                }
            )
        )

    def _own_definitions(self) -> None:
        """Say which of the project's own definitions are others than those that the runs recorded."""
        then: dict[str, str] = {}
        for run in (self._basis.tabulated, self._basis.measured):
            then |= run.settings.get(DEFINITIONS, {})
        now = in_use().digest(LAYERS, CODES, MEASURES)
        changed = [kind for kind in sorted({*then, *now}) if then.get(kind) != now.get(kind)]
        if changed:
            self._notes.append(
                f"The project's own definitions are others than then ({', '.join(changed)}); measures are made again as they were recorded."
            )

    def _rasters(self) -> None:
        """Hold every raster that the run read against the digest of its delivery."""
        folder = self._project.settings.folder
        rasters = delivered_rasters(self._connection, self._basis.versions.get("raster", []))
        found = [(raster.recorded, raster.sha256, raster.found(folder)) for raster in rasters]
        other = [row for row in found if row[1] != row[2]]
        self._compared["file"] = len(found)
        frame = pd.DataFrame(other, columns=["key", "recorded", "rebuilt"])
        self._found.append(frame.assign(table="file", column="sha256")[_DIFFERENCE])

    def _read(self) -> Inputs:
        versions = self._basis.versions
        documents = current_documents(self._connection, self._inputs["last_document"])
        stored = StoredOverlaps(self._connection, self._inputs["tabulate_run"])
        made = _MadeOverlaps(self._connection, self._project, versions, stored, self._report)
        return read_inputs(self._connection, self._project, made, versions, documents)

    def _evidence(self, inputs: Inputs) -> Iterator[pd.DataFrame]:
        recorded = read_rows(self._connection, self._measure_run)
        kept = dict(list(recorded.groupby("measure")))
        nothing = recorded.iloc[:0]
        defined = self._basis.measures
        for name, definition in defined.items():
            self._tell(Passing(f"measure {name} again"))
            try:
                made = next(evidence(inputs, {name: definition}))[1].rows(name, inputs.codes)
            except InputRefusedError as error:
                self._notes.append(
                    f"{name}: taken as recorded, because it could not be measured again: {error}"
                )
                yield kept.pop(name, nothing)
                continue
            self._report("evidence", None, kept.pop(name, nothing), made, ["parcel_id", "measure"])
            yield made
        papers = said_rows(inputs.documents, set(defined)).reindex(columns=COLUMNS)
        self._report("evidence", None, pd.concat([nothing, *kept.values()]), papers, ["parcel_id", "measure"])
        yield papers

    def _verdicts(self, inputs: Inputs, rows: pd.DataFrame) -> None:
        self._tell("classify again")
        parcels = inputs.index
        measured = {str(name): _measured(part, parcels) for name, part in rows.groupby("measure")}
        codes = parcels.to_numpy(dtype=object)
        facts = facts_from(
            codes,
            measured,
            units=measured_units(self._basis.measured),
            day=self._pack.day(self._basis.as_of),
            places=places_of(self._connection, self._basis.measured, self._pack, codes),
        )
        decision = decide(self._pack, facts)
        recorded = read_frame(
            self._connection,
            f"SELECT {', '.join(_VERDICT_COLUMNS)} FROM result.verdict WHERE run_id = %s",  # noqa: S608 - fixed names
            [self._run_id],
        )
        self._report("verdict", None, recorded, decision.frame()[_VERDICT_COLUMNS], _VERDICT_KEY)
        scores = ["parcel_id", "measure", "value", "source"]
        kept = read_rows(self._connection, self._run_id, scores)
        columns = derived_columns(decision, self._pack)
        made = [column.rows(name, codes)[scores] for name, column in columns.items()]
        self._report("evidence", None, kept, pd.concat([kept.iloc[:0], *made]), ["parcel_id", "measure"])

    def _report(
        self, table: str, what: str | None, recorded: pd.DataFrame, made: pd.DataFrame, key: list[str]
    ) -> None:
        """Keep what differs between a table and the same made again."""
        self._compared[table] = self._compared.get(table, 0) + len(recorded)
        found = table_differences(recorded, made[list(recorded.columns)], key)
        keys = found[key].astype(str).to_numpy().tolist()
        label = [" ".join(filter(None, (what, *parts))) for parts in keys]
        self._found.append(found.assign(table=table, key=label)[_DIFFERENCE])


def _measured(rows: pd.DataFrame, parcels: pd.Index[Any]) -> Measured:
    wide = rows.set_index("parcel_id")[["value", "low", "high"]].astype(float).reindex(parcels)
    value = wide["value"].to_numpy()
    return Measured(
        value, wide["low"].fillna(wide["value"]).to_numpy(), wide["high"].fillna(wide["value"]).to_numpy()
    )
