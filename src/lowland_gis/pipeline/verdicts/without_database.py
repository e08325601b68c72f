"""Tabulate, measure and classify on Spark without a database: from folders of GeoParquet to folders of Parquet.

| folder below the output | rows | in the order of |
|---|---|---|
| overlaps | layer, parcel_id, code, area_m2, share | layer, parcel, code |
| evidence | parcel_id, measure, value, low, high, source, detail | parcel, measure |
| verdicts | question, parcel_id, answer, settled, rule, candidate, trace | question, parcel |

All are written beside under a name with a dot and take their places together at the end; `run.json` beside them says what they rest on.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from lowland_gis.definitions import measure as define
from lowland_gis.definitions.layer import layer_definition, layer_keys
from lowland_gis.definitions.own import Own, use
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.engines.sedona import faults, work
from lowland_gis.engines.sedona.beside import BOX, beside, committed
from lowland_gis.engines.sedona.place import Place
from lowland_gis.engines.sedona.session import session
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.pipeline.base.program import program_version
from lowland_gis.pipeline.base.runs import Version, Versions
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.evidence import long_tasks
from lowland_gis.pipeline.evidence import on_spark as measuring
from lowland_gis.pipeline.evidence.cell_rows import CheckedRaster
from lowland_gis.pipeline.evidence.cell_tasks import Known
from lowland_gis.pipeline.evidence.facts import ZONE
from lowland_gis.pipeline.evidence.named_land import Files, files_of, named_layers, refuse_unfit
from lowland_gis.pipeline.overlaps.on_spark import Codes, found_by_tasks
from lowland_gis.pipeline.overlaps.received_tasks import PREPARED, TYPES, Received, prepared
from lowland_gis.pipeline.verdicts import on_spark as deciding
from lowland_gis.pipeline.verdicts import part_tasks
from lowland_gis.settings import Settings

Frame = Any

MARK = "run.json"
OVERLAPS, EVIDENCE, VERDICTS = "overlaps", "evidence", "verdicts"
_UNFINISHED = ".unfinished"
_PARCEL, _ENTERPRISE = "parcel", "enterprise"
_NO_PAPERS = pd.DataFrame(
    {name: pd.Series(dtype=object) for name in ("parcel_id", "condition", "says", "file_name", "sha256", "recorded_by", "recorded_at")}
)  # fmt: skip
_NOTHING_APART = pd.DataFrame(
    {
        **{name: pd.Series(dtype=object) for name in ("parcel_id", "measure")},
        **{name: pd.Series(dtype=float) for name in ("value", "low", "high")},
    }
)


def run(settings: Settings, definitions: Own, output: Path, *, place: Place, tell: Tell = silent) -> None:
    """Write overlaps, evidence and verdicts of the layers that the settings name below a folder.

    The layers are those of `[sedona.layers]`; each counts as the delivery of its place there, from 1. Papers there are none.

    Raises:
        UsageError: no parcels are named, a layer is unknown, or the folder holds something else.
        InputRefusedError: a file cannot be read, is on another plane, or has rows that ingest would set aside.
        LowlandError: the master cannot be reached, or a task has failed four times; nothing was written.
    """
    use(definitions)
    # A pack with faults is refused before anything is read.
    rule_pack(settings.classify.pack, settings.folder, settings.project.as_of)
    layers = named_layers(settings)
    refuse_unfit(layers)
    _refuse_foreign(output)
    files = {layer: files_of(settings, layer, path) for layer, path in layers.items()}
    unfinished = output / _UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    with beside() as folder, faults.told():
        _Run(settings, definitions, files, place, folder, tell=tell).write(unfinished)
    told = {"program": program_version(), "layers": layers, "settings": settings.model_dump(mode="json")}
    (unfinished / MARK).write_text(
        json.dumps(told, ensure_ascii=False, indent=1, default=str), encoding="utf-8"
    )
    # Without the mark nothing here is whole.
    (output / MARK).unlink(missing_ok=True)
    for name in (OVERLAPS, EVIDENCE, VERDICTS, MARK):
        _put(unfinished / name, output / name)
    unfinished.rmdir()


def _refuse_foreign(output: Path) -> None:
    ours = (output / MARK).is_file() or (output / _UNFINISHED).is_dir()
    if output.exists() and (not output.is_dir() or (any(output.iterdir()) and not ours)):
        raise UsageError(
            f"{output} is there already and no output of this command, so nothing was computed. Name another folder: -o FOLDER"
        )


def _put(made: Path, place: Path) -> None:
    """Put what was made in the place of what this command made before."""
    if place.is_dir():
        shutil.rmtree(place)
    made.replace(place)


class _Run:
    """One run: the land as the tasks have prepared it, and what is found of it."""

    def __init__(
        self, settings: Settings, own: Own, files: Mapping[str, Files], place: Place, folder: Path, *, tell: Tell
    ) -> None:  # fmt: skip
        self._settings, self._own, self._files = settings, own, files
        self._place, self._folder, self._tell = place, folder, tell
        self._pack = rule_pack(settings.classify.pack, settings.folder, settings.project.as_of)
        self._spark = session(place)
        self._versions: Versions = {
            layer: [Version(number, layer, None, settings.sedona.as_of.get(layer), "")]
            for number, layer in enumerate(files, start=1)
        }
        self._codes = Codes([])

    def write(self, target: Path) -> None:
        for layer in self._files:
            if layer != "raster":
                self._prepare(layer)
        self._refuse_double()
        tabulated = [
            key for key in layer_keys() if key in self._files and layer_definition(key).tabulate != "no"
        ]
        self._codes = Codes(tabulated)
        for number, layer in enumerate(tabulated):
            self._number(number, layer)
        overlaps = self._overlaps(target)
        measured, known = self._measure(overlaps)
        self._decide(overlaps, measured, known, target)

    def _prepare(self, layer: str) -> None:
        """Let the tasks read a layer and write its rows as ingest would hold them."""
        self._tell(f"read {layer} {layer_definition(layer).title}")
        asked = Received(
            layer,
            self._versions[layer][0].version_id,
            self._files[layer].geometry,
            self._settings.plane,
            self._settings.project.as_of,
            self._own,
        )
        portions = self._files[layer].portions
        frame = self._spark.createDataFrame(portions).repartition(max(1, portions.num_rows))
        frame.mapInArrow(partial(prepared, received=asked), TYPES).write.parquet(str(self._at(layer)))
        committed(self._at(layer))

    def _at(self, layer: str) -> Path:
        return self._folder / "prepared" / layer

    def _prepared(self, layer: str) -> Frame:
        return self._spark.read.schema(TYPES).parquet(str(self._at(layer)))

    def _refuse_double(self) -> None:
        rows = self._prepared(_PARCEL).groupBy("parcel").count().where("count > 1 OR parcel IS NULL")
        double = rows.orderBy("parcel").limit(5).collect()
        if double:
            shown = ", ".join(f"{row['parcel']} ({row['count']} times)" for row in double)
            raise InputRefusedError(
                f"{self._settings.sedona.layers[_PARCEL]}: codes (ZDDM) stand for several parcels: {shown}. Nothing was computed."
            )

    def _number(self, number: int, layer: str) -> None:
        """Write the zones of a layer with their classes: each feature its own, or one a code."""
        definition, rows = layer_definition(layer), self._prepared(layer)
        if definition.tabulate == "feature":
            codes = [str(row) for row in range(self._files[layer].n_rows)]
            self._codes.classes(number, codes)
            zones = rows.selectExpr(f"{work.class_in(number, 0)}L + row AS klass", "row", "wkb", *BOX)
        else:
            called = rows.selectExpr(
                f"coalesce(code, '{'' if definition.code else layer}') AS code", "row", "wkb", *BOX
            )
            names = [row["code"] for row in called.select("code").distinct().orderBy("code").collect()]
            table = pa.table(
                {"code": pa.array(names, pa.string()), "klass": self._codes.classes(number, names)}
            )
            zones = called.join(self._spark.createDataFrame(table).hint("broadcast"), "code").drop("code")
        zones.select("klass", "row", "wkb", *BOX).write.parquet(
            str(self._folder / "zones" / f"layer={number}")
        )

    def _overlaps(self, target: Path) -> Path:
        """Write the overlaps in their order; return the folder."""
        parcels = self._folder / "parcels"
        self._prepared(_PARCEL).select("parcel", "wkb", *BOX).write.parquet(str(parcels))
        zones = self._folder / "zones"
        plan, found = found_by_tasks(self._place, parcels, zones, self._folder / "found", cover=False)
        codes = self._spark.createDataFrame(self._codes.table()).hint("broadcast")
        rows = self._spark.read.parquet(str(found)).where("klass >= 0").join(codes, "klass")
        overlaps = rows.selectExpr(
            "layer", "parcel AS parcel_id", "code", "area_m2", "area_m2 / whole_m2 AS share"
        )
        overlaps.orderBy("layer", "parcel_id", "code").write.parquet(str(target / OVERLAPS))
        committed(target / OVERLAPS)
        self._tell(f"Spark on {self._place.master}: overlaps in {plan.n_cells:,} cells")
        short = self._folder / "overlaps"
        self._spark.read.parquet(str(target / OVERLAPS)).selectExpr(
            "layer", "parcel_id AS parcel", "code", "area_m2 AS area", "share"
        ).write.parquet(str(short))
        return short

    def _measure(self, overlaps: Path) -> tuple[measuring.Measured, Known]:
        drift = measuring.drifting(define.measures(), self._versions)
        zones = None
        if drift:
            zones = self._folder / "drifting"
            for layer in drift:
                number = self._codes.layers.index(layer)
                part = self._spark.read.parquet(str(self._folder / "zones" / f"layer={number}"))
                part.write.mode("append").parquet(str(zones))
        empty = self._folder / "empty"
        nothing = self._spark.createDataFrame(PREPARED.empty_table())
        nothing.write.parquet(str(empty))
        records = self._folder / "records"
        nothing.write.parquet(str(records))
        for layer in measuring.by_feature():
            if layer in self._files:
                self._prepared(layer).drop("wkb", *BOX).write.mode("append").parquet(str(records))
        firms = self._at(_ENTERPRISE) if _ENTERPRISE in self._files else empty
        whole = {
            layer: (self._prepared(layer) if layer in self._files else nothing).orderBy("row").drop("wkb", *BOX).toArrow()
            for layer in define.features_read()
            if layer not in measuring.by_feature()
        }  # fmt: skip
        rasters = {
            "raster": [
                CheckedRaster(path)
                for path in (self._files["raster"].rasters if "raster" in self._files else ())
            ]
        }
        known = Known(
            self._own, define.measures(), self._settings, self._versions, self._absent(), _NO_PAPERS, self._codes, whole, rasters, {}
        )  # fmt: skip
        n_firms = self._files[_ENTERPRISE].n_rows if _ENTERPRISE in self._files else 0
        land = measuring.Land(self._at(_PARCEL), zones, overlaps, records, firms, n_firms)
        found = measuring.measured(self._place, land, known, self._folder)
        self._tell(
            f"Spark on {self._place.master}: {len(known.defined)} measures in {found.n_cells:,} cells, a worker had at most {found.peak_mb:,.0f} MB"
        )
        return found, known

    def _absent(self) -> dict[int, frozenset[str]]:
        """Return the fields of its layer that each delivery does not have."""
        return {
            versions[0].version_id: frozenset(
                field.name for field in layer_definition(layer).field if field.name not in self._files[layer].fields
            )
            for layer, versions in self._versions.items()
        }  # fmt: skip

    def _decide(self, overlaps: Path, found: measuring.Measured, known: Known, target: Path) -> None:
        names = tuple(known.defined)
        parcels = self._folder / "deciding"
        self._prepared(_PARCEL).select("parcel", "town").write.parquet(str(parcels))
        claim = self._settings.measure.town_claim_min
        asked = part_tasks.Known(
            self._pack, names, {name: item.unit for name, item in known.defined.items()},
            self._pack.day(self._settings.project.as_of), _NOTHING_APART, claim, ZONE in self._versions, {},
        )  # fmt: skip
        count = self._files[_PARCEL].n_rows
        lies = self._folder / "lies"
        self._spark.read.parquet(str(overlaps)).where(f"layer IN ('town', '{ZONE}')").write.parquet(str(lies))
        decided = deciding.decided(
            self._place, deciding.Found(parcels, lies, found.folder, count), asked, self._folder
        )
        rows = self._spark.read.parquet(str(decided.folder)).where("parcel_id IS NOT NULL")
        verdicts = rows.where("question IS NOT NULL").drop("value")
        verdicts.orderBy("question", "parcel_id").write.parquet(str(target / VERDICTS))
        committed(target / VERDICTS)
        derived = [item.name for item in self._pack.derived]
        sources = {
            number: f"{self._pack.name} {item.document}" for number, item in enumerate(self._pack.derived, 1)
        }
        measured = self._spark.read.parquet(str(found.folder)).where("parcel_id IS NOT NULL")
        long = measured.mapInArrow(
            partial(long_tasks.rows, names=names, sources=dict(found.sources)), long_tasks.TYPES
        )
        of_pack = rows.where("question IS NULL").mapInArrow(
            partial(long_tasks.rows, names=derived, sources=sources), long_tasks.TYPES
        )
        both = long.unionByName(of_pack)
        both.orderBy("parcel_id", "measure").write.parquet(str(target / EVIDENCE))
        committed(target / EVIDENCE)
