"""A layer is delivered a second time: then every command either is right, or says what is out of date and by what.

The list of commands is that of the program: a command that is not classed here fails the first test.
"""

import io
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import click
import geopandas as gpd
import numpy as np
import psycopg
import pytest
import rasterio
import shapely

from databases import DEMO, created
from lowland_gis import cli

# What a command does with results that rest on another delivery than the one in force.
MARKS = "reads the classification or draft with its own deliveries, says what is stale, ends with 1"
REFUSES = "would mix, so it refuses with 3 and names the command to type"
UPDATES = "brings results up to date"
LAND = "reads or changes deliveries and papers only, as they are in force"
NOTHING = "rests on no delivery and no result"
DECISIONS = "reads or records what people decided, which no delivery and no result takes back"
COMPARES = "compares what an update was opened with, and refuses with 3 where that is not in force any more (database/test_update.py)"
SAME = "marks by the same lines of code as the command of its group that is tried here"
HISTORY = "looks at a run that was asked for, with the deliveries of that run"

COMMANDS = {
    "init": NOTHING, "doctor": NOTHING, "demo": UPDATES, "run": UPDATES,
    "db backup": DECISIONS, "db restore": DECISIONS, "db verify": NOTHING,
    "db down": NOTHING, "db grant": NOTHING, "db revoke": NOTHING, "db roles": NOTHING,
    "db migrate": NOTHING, "db psql": NOTHING, "db service": NOTHING, "db status": NOTHING, "db up": NOTHING,
    "inspect": NOTHING, "convert": NOTHING, "ingest": LAND, "tabulate": NOTHING,
    "measures list": NOTHING, "measures show": NOTHING,
    "layers diff": LAND, "layers list": LAND, "layers rejects": LAND, "layers show": NOTHING,
    "check accept": LAND, "check run": UPDATES, "check show": MARKS,
    "classify compare": MARKS, "classify explain": MARKS, "classify rerun": HISTORY, "classify run": UPDATES, "classify todo": MARKS,
    "rules check": NOTHING, "rules list": NOTHING, "rules show": NOTHING, "rules test": NOTHING, "rules what-if": MARKS,
    "unit draft": REFUSES, "unit edit": REFUSES, "unit freeze": REFUSES, "unit import": REFUSES, "unit withdraw": NOTHING,
    "unit changes": MARKS, "unit key-areas": MARKS, "unit planning": MARKS,
    "unit export": MARKS, "unit list": MARKS, "unit members": MARKS, "unit metrics": MARKS, "unit sheet": MARKS, "unit why": MARKS,
    "unit potential": MARKS, "unit brief": MARKS,
    "registry document": LAND, "registry draft": MARKS, "registry problems": MARKS,
    "registry approve": DECISIONS, "registry ask": DECISIONS, "registry dispose": DECISIONS, "registry enter": DECISIONS,
    "registry file": DECISIONS, "registry history": DECISIONS, "registry list": MARKS, "registry notice": DECISIONS,
    "registry objection": DECISIONS, "registry paper": DECISIONS, "registry procedure": NOTHING, "registry resolve": DECISIONS,
    "registry promise": DECISIONS, "registry promises": DECISIONS,
    "registry return": DECISIONS, "registry review": DECISIONS, "registry show": MARKS, "registry start": DECISIONS,
    "registry step": DECISIONS, "registry submit": DECISIONS, "registry survey": DECISIONS, "registry verify": DECISIONS,
    "registry withdraw": DECISIONS,
    "update close": COMPARES, "update diff": COMPARES, "update open": COMPARES,
    "plan check": DECISIONS, "plan quotas": DECISIONS, "plan read": DECISIONS, "plan show": DECISIONS, "plan write": DECISIONS,
    "package adopt": NOTHING, "package build": REFUSES, "package check": NOTHING, "map overview": MARKS, "map page": MARKS,
    "map sheet": MARKS, "map sheets": SAME, "update increment": NOTHING,
    "report due": DECISIONS, "report template": NOTHING, "report bulletin": MARKS, "report midyear": SAME, "report annual": SAME,
    "report evaluation": SAME,
}  # fmt: skip
# The stages that rest on one that is out of date.
STAGES = [("run", "--from", stage, "--to", stage) for stage in ("measure", "delineate", "package")]


def every_command(group: click.Group, *path: str) -> Iterator[str]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)
        else:
            yield " ".join((*path, name))


def test_every_command_is_classed():
    """A new command belongs into COMMANDS: what does it do with results that rest on another delivery than the one in force?"""
    assert set(every_command(cli.lowland)) == set(COMMANDS)


@dataclass(frozen=True)
class Answer:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str


@dataclass
class District:
    """The demo on a database of its own, and what its readers say."""

    folder: Path
    dsn: str
    said: dict[str, Answer] = field(default_factory=dict)

    def lowland(self, *arguments: str) -> Answer:
        """Run a command in this process."""
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err), mock.patch.dict(os.environ, LOWLAND_DSN=self.dsn):
            try:
                cli.main(["--project", str(self.folder / "lowland.toml"), *arguments])
            except SystemExit as leaving:
                return Answer(int(leaving.code or 0), out.getvalue(), err.getvalue())
        raise AssertionError("main always leaves")

    def rows(self, query: str, *parameters: object) -> list[tuple]:
        """Return the rows of a query."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(query, parameters).fetchall()

    def first(self, query: str) -> str:
        """Return the first value of a query as text."""
        return str(self.rows(query)[0][0])

    def readers(self, rule: str) -> dict[str, tuple[str, ...]]:
        """Return a way to call each command that marks."""
        parcel = self.first("SELECT max(parcel_id) FROM result.member WHERE unit_id IS NOT NULL")
        unit = self.first("SELECT min(unit_id) FROM result.unit")
        run = self.first("SELECT min(run_id) FROM result.run WHERE stage = 'classify'")
        drafted = self.first("SELECT min(subject) FROM registry.current_entry WHERE state = 'draft'")
        return {
            "check show": ("check", "show", rule, "--json"),
            "classify compare": ("classify", "compare", run, "--json"),
            "classify explain": ("classify", "explain", parcel, "--json"),
            "classify todo": ("classify", "todo", "--json"),
            "rules what-if": ("rules", "what-if", "--set", "tax_min=8", "--json"),
            "unit export": ("unit", "export", str(self.folder / "flow.gpkg")),
            "unit changes": ("unit", "changes", "flow", "--from", "flow", "--json"),
            "unit key-areas": ("unit", "key-areas", "--json"),
            "unit list": ("unit", "list", "--json"),
            "unit members": ("unit", "members", "--json"),
            "unit metrics": ("unit", "metrics", "--json"),
            "unit planning": ("unit", "planning", "--json"),
            "unit sheet": ("unit", "sheet", unit, str(self.folder / "sheet.png")),
            "unit why": ("unit", "why", parcel, "--json"),
            "unit potential": ("unit", "potential", "--json"),
            "unit brief": ("unit", "brief", unit, "--out", str(self.folder / "brief.docx")),
            "registry draft": ("registry", "draft"),
            "registry list": ("registry", "list", "--json"),
            "registry problems": ("registry", "problems", "--json"),
            "registry show": ("registry", "show", drafted, "--json"),
            "map overview": ("map", "overview", str(self.folder / "map.png")),
            "map page": ("map", "page", str(self.folder / "map.html")),
            "map sheet": ("map", "sheet", parcel, str(self.folder / "sheet.pdf")),
            "report bulletin": ("report", "bulletin", "2024-05", str(self.folder / "bulletin.docx")),
        }

    def refused(self) -> dict[str, list[tuple[str, ...]]]:
        """Return ways to call each command that refuses."""
        parcel = self.first("SELECT max(parcel_id) FROM result.member WHERE unit_id IS NOT NULL")
        return {
            "unit draft": [("unit", "draft"), ("unit", "draft", "neu", "--rounds", "0")],
            "unit edit": [("unit", "edit", "neu", "--draft", "flow", "--forbid", parcel)],
            "unit freeze": [("unit", "freeze", "--draft", "flow")],
            "unit import": [("unit", "import", str(self.folder / "flow.gpkg"), "--draft", "flow", "--name", "neu")],
            "package build": [("package", "build", str(self.folder / "package"))],
        }  # fmt: skip


@contextmanager
def district(demo, cluster, folder: Path) -> Iterator[District]:
    shutil.copy(demo.folder / "lowland.toml", folder / "lowland.toml")
    with created(cluster, f"two_{folder.name}", DEMO) as dsn:
        yield District(folder, dsn)


def features(place: District, table: str, layer: str | None) -> gpd.GeoDataFrame:
    """Return the current records of a layer as they were delivered, as far as they were loaded."""
    where = "true" if layer is None else f"layer = '{layer}'"
    rows = place.rows(f"SELECT attributes, ST_AsBinary(geom) FROM land.{table} WHERE {where} ORDER BY row_no")  # noqa: S608
    return gpd.GeoDataFrame(
        [row[0] for row in rows], geometry=shapely.from_wkb([row[1] for row in rows]), crs=4548
    )


def fewer_parcels(place: District, target: Path) -> Path:
    """The parcels without the last in a unit and every tenth; those come no more."""
    kept = features(place, "parcel", None).sort_values("ZDDM", ignore_index=True)
    gone = place.first("SELECT max(parcel_id) FROM result.member WHERE unit_id IS NOT NULL")
    kept = kept[(kept.index % 10 != 0) & (kept["ZDDM"] != gone)]
    kept.to_file(target.with_suffix(".gpkg"), engine="pyogrio")
    return target.with_suffix(".gpkg")


def another_survey(place: District, target: Path) -> Path:
    """The third survey with every second village feature called a paddy field."""
    rows = features(place, "feature", "dltb3")
    village = np.flatnonzero(rows["DLBM"] == "0702")[::2]
    rows.loc[village, "DLBM"] = "0101"
    rows.to_file(target.with_suffix(".gpkg"), engine="pyogrio")
    return target.with_suffix(".gpkg")


def renamed_towns(place: District, target: Path) -> Path:
    """The towns under other names."""
    rows = features(place, "feature", "town")
    rows.assign(XZQMC=[f"新{name}" for name in rows["XZQMC"]]).to_file(
        target.with_suffix(".gpkg"), engine="pyogrio"
    )
    return target.with_suffix(".gpkg")


def brighter_raster(place: District, target: Path) -> Path:
    """The raster with every value raised."""
    with rasterio.open(place.first("SELECT path FROM land.raster")) as source:
        values, profile = source.read(), source.profile
    with rasterio.open(target.with_suffix(".tif"), "w", **profile) as made:
        made.write((values + 1).astype(values.dtype))
    return target.with_suffix(".tif")


DELIVERIES = {
    "parcel": (fewer_parcels, "overlap"),
    "dltb3": (another_survey, "overlap"),
    "town": (renamed_towns, "overlap"),
    "raster": (brighter_raster, "raster_uncovered"),
}


# What zones and towns lead to, parcels lead to as well; a raster is measured instead.
_TRIED = [
    pytest.param(layer, marks=[pytest.mark.again] if layer in ("dltb3", "town") else [])
    for layer in DELIVERIES
]


@pytest.fixture(scope="module", params=_TRIED)
def twice(demo, cluster, request, tmp_path_factory) -> Iterator[tuple[str, District]]:
    """The demo, what its readers say, and then a second delivery of a layer."""
    layer = request.param
    make, rule = DELIVERIES[layer]
    with district(demo, cluster, tmp_path_factory.mktemp(layer)) as place:
        place.lowland("check", "run")
        for name, arguments in place.readers(rule).items():
            place.said[name] = place.lowland(*arguments)
        delivered = place.lowland("ingest", layer, str(make(place, place.folder / "second")))
        assert delivered.code == 0, delivered.err
        yield layer, place


def test_before_the_second_delivery_nothing_is_stale(twice):
    _, place = twice
    assert {name: said.err for name, said in place.said.items() if said.code or "Stale" in said.err} == {}


def test_what_reads_results_keeps_to_their_deliveries_and_says_what_is_stale(twice):
    layer, place = twice
    wrong = {}
    for name, arguments in place.readers(DELIVERIES[layer][1]).items():
        said = place.lowland(
            *arguments,
            *(["--overwrite"] if name in {"unit export", "unit sheet", "map overview", "map page"} else []),
        )
        told = (
            "Stale: " in said.err
            and f" {layer}: version" in said.err
            and "lowland " in said.err.split("Bring up to date with")[1]
        )
        same = name == "unit list" or said.out == place.said[name].out
        if said.code != 1 or not told or not same:
            wrong[name] = said
    assert wrong == {}


def test_what_would_mix_is_refused_with_the_command_to_type(twice):
    layer, place = twice
    before = (
        place.rows("SELECT count(*), max(run_id) FROM result.run"),
        place.rows("SELECT count(*) FROM registry.unit"),
    )
    wrong = {}
    # A raster is measured, not tabulated, so measuring it is what brings up to date.
    stages = [call for call in STAGES if layer != "raster" or "measure" not in call]
    for name, calls in {**place.refused(), "run": stages}.items():
        for arguments in calls:
            said = place.lowland(*arguments)
            told = f" {layer}: version" in said.err and "Bring up to date with: lowland " in said.err
            if said.code != 3 or not told:
                wrong[name, arguments] = said
    assert wrong == {}
    assert not (place.folder / "package").exists()
    after = (
        place.rows("SELECT count(*), max(run_id) FROM result.run"),
        place.rows("SELECT count(*) FROM registry.unit"),
    )
    assert after == before


def test_the_run_itself_can_still_be_proved(twice):
    _, place = twice
    said = place.lowland("classify", "rerun", "latest")
    assert said.code == 0, said.err
    assert "equal to the last digit" in said.out


def test_every_command_of_a_class_is_tried(twice):
    _, place = twice
    assert set(place.readers("overlap")) == {name for name, does in COMMANDS.items() if does == MARKS}
    assert set(place.refused()) == {name for name, does in COMMANDS.items() if does == REFUSES}


def test_brought_up_to_date_everything_is_of_the_new_delivery(twice):
    """Runs last: what was marked is said without a mark, and the package holds what the new delivery holds."""
    layer, place = twice
    for arguments in (("check", "run"), ("run", "--from", "tabulate")):
        said = place.lowland(*arguments)
        assert said.code in (0, 1), said.err
        assert "Stale" not in said.err
    readers = place.readers(DELIVERIES[layer][1])
    stale = {
        name: said
        for name, arguments in readers.items()
        if (said := place.lowland(*arguments)).code == 3 or "Stale" in said.err
    }
    assert stale == {}
    newest = place.first("SELECT max(run_id) FROM result.run WHERE stage = 'classify'")
    loaded = "SELECT n_loaded FROM land.layer_version WHERE layer = 'parcel' ORDER BY version_id DESC LIMIT 1"
    decided = place.rows(
        "SELECT count(*) FROM result.verdict WHERE question = 'kind' AND run_id = %s", newest
    )
    assert decided == place.rows(loaded)
    manifest = json.loads(next(place.folder.rglob("manifest.json")).read_text(encoding="utf-8"))
    assert str(manifest["provenance"]["runs"]["classify"]["run"]) == newest
