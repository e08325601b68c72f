"""A run on Spark from GeoParquet to Parquet, held against the same files ingested and classified in one process."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pytest
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.db.frames import read_frame, read_geoframe
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.demo import prepare
from lowland_gis.pipeline.flow import run

pytestmark = pytest.mark.sedona

SETTINGS = """
dsn = {dsn}
[project]
name = "无库"
district_code = "120113"
district_name = "北辰区"
as_of = {day}
[tabulate]
master = "local[2,4]"
cell_mb = 0.05
"""
# Lines that take ground are refused without a database, and the raster stays where it is.
LEFT_AWAY = ("xzdw2", "lxdw2", "raster")


@dataclass(frozen=True)
class Land:
    """A folder with layers as GeoParquet, and a project that has ingested the same files and classified them in one process."""

    folder: Path
    project: Project

    def lowland(self, *line: str) -> tuple[int, str]:
        """Run the command line on the folder's settings; return its exit code and what it said or refused with."""
        done = CliRunner().invoke(lowland, ["--project", str(self.folder / "lowland.toml"), *line])
        return done.exit_code, done.output + str(done.exception or "")

    def rows(self, table: str, stage: str) -> pd.DataFrame:
        """Return what the stage wrote in the database."""
        with self.project.snapshot() as connection:
            return read_frame(
                connection,
                f"SELECT * FROM result.{table} WHERE run_id = (SELECT max(run_id) FROM result.run WHERE stage = %s)",  # noqa: S608 - fixed
                [stage],
            ).drop(columns="run_id")


@pytest.fixture(scope="module")
def land(
    new_database: Callable[[], AbstractContextManager[str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Land]:
    folder = tmp_path_factory.mktemp("无库")
    with pytest.MonkeyPatch.context() as patch, new_database() as first, new_database() as second:
        patch.setenv("LOWLAND_DSN", first)
        drawn = prepare(folder / "drawn", parcels=200, seed=5)
        run(drawn, last="ingest")
        days = _written(drawn, folder)
        patch.delenv("LOWLAND_DSN")
        text = SETTINGS.format(dsn=json.dumps(second), day=drawn.settings.project.as_of)
        for layer, day in days.items():
            dated = "" if day is None else f"as_of = {day}\n"
            text += f'[[delivery]]\nlayer = "{layer}"\nsource = "{layer}.parquet"\n{dated}'
        text += "[sedona.layers]\n" + "".join(f'{layer} = "{layer}.parquet"\n' for layer in days)
        text += "[sedona.as_of]\n" + "".join(f"{layer} = {day}\n" for layer, day in days.items() if day)
        (folder / "lowland.toml").write_text(text, encoding="utf-8")
        project = open_project(folder)
        run(project, last="classify")
        yield Land(folder, project)


def _written(drawn: Project, folder: Path) -> dict[str, object]:
    """Write the layers of a project as GeoParquet with the fields of the layers; return the day of each."""
    days: dict[str, object] = {}
    with psycopg.connect(drawn.dsn) as connection:
        found = connection.execute(
            "SELECT layer, max(as_of), array_agg(version_id) FROM land.current_version GROUP BY layer ORDER BY layer"
        ).fetchall()
        for layer, day, versions in found:
            if layer in LEFT_AWAY:
                continue
            table = layer if layer in ("parcel", "enterprise") else "feature"
            geometry = "" if layer == "enterprise" else ", ST_AsBinary(geom) AS geom"
            query = f"SELECT attributes{geometry} FROM land.{table} WHERE version_id = ANY(%s) ORDER BY {table}_id"  # noqa: S608 - fixed
            read = read_frame if layer == "enterprise" else read_geoframe
            rows = read(
                connection, query, [versions], **({} if layer == "enterprise" else {"srid": drawn.srid})
            )
            fields = pd.DataFrame(list(rows["attributes"]))
            file = folder / f"{layer}.parquet"
            if layer == "enterprise":
                fields.to_parquet(file, row_group_size=50)
            else:
                gpd.GeoDataFrame(fields, geometry=rows.geometry.to_numpy(), crs=rows.crs).to_parquet(
                    file, row_group_size=50
                )
            days[layer] = day
    return days


def _held(
    ours: pd.DataFrame, theirs: pd.DataFrame, keys: list[str], texts: list[str], figures: list[str]
) -> None:
    ours, theirs = (frame.sort_values(keys, ignore_index=True) for frame in (ours, theirs))
    assert len(ours) > 100
    for name in (*keys, *texts):
        assert theirs[name].astype(object).where(theirs[name].notna(), None).tolist() == ours[name].tolist()
    for name in figures:
        np.testing.assert_allclose(
            theirs[name].to_numpy(float), ours[name].to_numpy(float), rtol=1e-12, atol=1e-9, equal_nan=True
        )


def test_files_give_what_the_database_gives(land):
    code, said = land.lowland("run", "--engine", "sedona", "-o", str(land.folder / "out"))
    assert code == 0, said
    out = {name: pd.read_parquet(land.folder / "out" / name) for name in ("overlaps", "evidence", "verdicts")}
    by_code = ~out["overlaps"]["layer"].isin(["building", "supply", "violation"])
    overlaps = land.rows("overlap", "tabulate")
    ours = overlaps[~overlaps["layer"].isin(["building", "supply", "violation"])]
    assert by_code.sum() < len(out["overlaps"]) == len(overlaps)
    _held(ours, out["overlaps"][by_code], ["layer", "parcel_id", "code"], [], ["area_m2", "share"])
    evidence = pd.concat([land.rows("evidence", "measure"), land.rows("evidence", "classify")])
    texts, figures = ["source", "detail"], ["value", "low", "high"]
    _held(evidence, out["evidence"], ["parcel_id", "measure"], texts, figures)
    texts = ["answer", "settled", "rule", "candidate", "trace"]
    _held(land.rows("verdict", "classify"), out["verdicts"], ["question", "parcel_id"], texts, [])
    told = json.loads((land.folder / "out" / "run.json").read_text(encoding="utf-8"))
    assert next(iter(told["layers"])) in out["evidence"]["source"].str.cat()


def test_rows_that_ingest_would_set_aside_are_refused_and_what_was_there_stays(land):
    parcels = gpd.read_parquet(land.folder / "parcel.parquet")
    (land.folder / "kept").mkdir(exist_ok=True)
    (land.folder / "kept" / "mine.txt").write_text("mine", encoding="utf-8")
    code, said = land.lowland("run", "--engine", "sedona", "-o", str(land.folder / "kept"))
    assert code != 0
    assert "no output of this command" in said
    whole = (land.folder / "parcel.parquet").read_bytes()
    try:
        pd.concat([parcels, parcels.iloc[:1]]).to_parquet(land.folder / "parcel.parquet")
        code, said = land.lowland("run", "--engine", "sedona", "-o", str(land.folder / "double"))
    finally:
        (land.folder / "parcel.parquet").write_bytes(whole)
    assert code != 0
    assert parcels["ZDDM"].iloc[0] in said
    assert "parcel.parquet" in said
    assert not (land.folder / "double" / "run.json").exists()


def test_measures_on_ground_that_lines_take_are_refused_by_name(land):
    file = land.folder / "lowland.toml"
    text = file.read_text(encoding="utf-8")
    try:
        file.write_text(
            text.replace("[sedona.layers]\n", '[sedona.layers]\nxzdw2 = "xzdw2.parquet"\n'), encoding="utf-8"
        )
        code, said = land.lowland("run", "--engine", "sedona", "-o", str(land.folder / "lines"))
    finally:
        file.write_text(text, encoding="utf-8")
    assert code != 0
    assert "construction2_share" in said
    assert not (land.folder / "lines").exists()
