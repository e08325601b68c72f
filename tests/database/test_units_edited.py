"""`lowland unit edit`: each edit is answered with its cost, rules and repairs; links by hand are kept with the draft, through QGIS and in what starts from it."""

import json
import re
import shlex

import geopandas as gpd
import psycopg
import pytest
from click.testing import CliRunner

from drawn_units import FIRST, PARCELS, SECOND, THIRD, ZONES, ready
from lowland_gis.cli import lowland
from lowland_gis.errors import LowlandError
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

# Across 30 m of ground that is no lane: only a link by hand joins it to the first.
FOURTH = "120113100001GB00004"
GROUND = {**PARCELS, FOURTH: box(0, 130, 150, 100)}
WHY = "人行天桥"


class Place:
    """A project, and commands on it."""

    def __init__(self, project):
        self.project = project

    def lowland(self, *arguments, code):
        """Run a command that ends with a code; return what it says on stdout and beside it."""
        settings = self.project.settings.folder / "lowland.toml"
        done = CliRunner().invoke(lowland, ["--project", str(settings), *arguments])
        refused = isinstance(done.exception, LowlandError)
        if done.exception is not None and not refused and not isinstance(done.exception, SystemExit):
            raise done.exception
        found = done.exception.exit_code if refused else done.exit_code
        said = done.stderr + (str(done.exception) if refused else "")
        assert found == code, (found, done.stdout, said)
        return done.stdout, said

    def rows(self, query, *values):
        with psycopg.connect(self.project.dsn) as connection:
            return connection.execute(query, values).fetchall()

    def links(self, name):
        query = "SELECT settings->'links_by_hand' FROM result.run JOIN result.draft USING (run_id) WHERE name = %s ORDER BY run_id DESC LIMIT 1"
        return self.rows(query, name)[0][0]

    def drafts(self):
        return self.rows("SELECT count(*) FROM result.draft")[0][0]


@pytest.fixture
def place(project):
    """A project with one unit, of the first two parcels; the third lies in the red line, the fourth hangs together with none."""
    ready(project, *ZONES)
    path = write_parcels(project.settings.folder / "宗地.shp", GROUND)
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    judged(project)
    made = Place(project)
    made.lowland("unit", "draft", code=0)
    return made


def judged(project):
    """Have every parcel low-efficiency."""
    tabulate(project)
    measure(project)
    run = classify(project)
    with psycopg.connect(project.dsn) as connection:
        connection.execute(
            "UPDATE result.verdict SET answer = 'industrial', rule = 'x' WHERE run_id = %s AND question = 'kind'",
            [run.run_id],
        )


def test_links_by_hand_are_kept_with_the_draft_through_qgis_and_in_what_starts_from_it(place, tmp_path):
    unit = place.rows("SELECT unit_id FROM result.unit")[0][0]
    link = ("--link", f"{FOURTH}={FIRST}:{WHY}", "--by", "规划科")
    move = ("--move", f"{FOURTH}={unit}")
    out, said = place.lowland("unit", "edit", "散", *move, code=1)
    assert f"broken {unit} contiguous: falls into 2 pieces" in out
    assert f"{unit}: contiguous: falls into 2 pieces" in said
    assert f"leave out --move {FOURTH}={unit}" in out
    out, _ = place.lowland("unit", "edit", "桥", "--draft", "flow", *link, *move, "--json", code=0)
    told = json.loads(out)
    assert [edit["option"].split()[0] for edit in told["edits"]] == ["--link", "--move"]
    assert told["edits"][0]["notes"] == [f"{FOURTH} and {FIRST} are 30.0 m apart"]
    assert told["edits"][1]["broken"] == []
    terms = told["edits"][1]["terms"]
    # 1.5 ha of low-efficiency land come, with 500 m of outline of which the link saves none.
    assert terms["gathered_m2"] == pytest.approx(15_000, rel=0.01)
    assert terms["outline_cost"] == pytest.approx(-12 * 500, rel=0.01)
    assert told["after_m2"] - told["before_m2"] == pytest.approx(sum(terms.values()))
    kept = [{"one": FIRST, "other": FOURTH, "joined": True, "reason": WHY, "said_by": "规划科"}]
    assert place.links("桥") == kept
    # The same command again has its answer again.
    again, _ = place.lowland("unit", "edit", "桥", *link, *move, "--json", code=0)
    assert json.loads(again)["run_id"] == told["run_id"]
    assert json.loads(again)["edits"] == told["edits"]
    place.lowland("unit", "metrics", "桥", code=0)
    place.lowland("unit", "edit", "再", "--draft", "桥", "--lock", unit, code=0)
    assert place.links("再") == kept
    target = tmp_path / "桥.gpkg"
    place.lowland("unit", "export", str(target), "--draft", "桥", code=0)
    layer = gpd.read_file(target, layer="links")
    assert layer[["one", "other", "reason", "said_by"]].to_dict("records") == [
        {name: kept[0][name] for name in ("one", "other", "reason", "said_by")}
    ]
    assert layer.geometry.length.iloc[0] > 30
    place.lowland("unit", "import", str(target), "--draft", "flow", "--name", "回", code=0)
    assert place.links("回") == kept
    place.lowland("unit", "draft", "明年", "--from", "桥", "--stability", "5", code=0)
    assert place.links("明年") == kept
    assert place.rows("SELECT n_units FROM result.draft WHERE name = '明年'") == [(1,)]
    # Taken out in QGIS, it is gone, and the unit falls apart.
    layer.iloc[:0].to_file(target, layer="links", engine="pyogrio", geometry_type="LineString")
    _, said = place.lowland("unit", "import", str(target), "--draft", "桥", "--name", "断", code=1)
    assert f"{unit}: contiguous: falls into 2 pieces" in said
    assert place.links("断") is None
    # One that cannot be is named, and nothing is imported.
    before = place.drafts()
    layer.assign(other=THIRD).to_file(target, layer="links", engine="pyogrio")
    _, said = place.lowland("unit", "import", str(target), "--draft", "桥", "--name", "误", code=3)
    assert f"may be in no unit: {THIRD}" in said
    assert place.drafts() == before


def test_what_cannot_be_is_named_and_nothing_is_kept(place):
    unit = place.rows("SELECT unit_id FROM result.unit")[0][0]
    before = place.drafts()
    for arguments, words in (
        (("--link", f"{FIRST}={THIRD}:{WHY}"), ["link: may be in no unit", THIRD]),
        (("--link", f"{FIRST}={SECOND}:{WHY}"), ["neighbours already"]),
        (("--link", f"{FIRST}={FOURTH}"), ["say why", f"--link {FIRST}={FOURTH}:{WHY}"]),
        (("--forbid-link", f"{FIRST}={FOURTH}:{WHY}"), ["no link to cut"]),
        (("--swap", f"{FIRST}={SECOND}"), [f"both are in {unit}"]),
        (("--swap", f"{FIRST}"), ["write it as PARCEL=PARCEL"]),
        (
            ("--move", f"{FIRST}=", "--forbid", FIRST),
            [f"the parcel {FIRST} stands in 2 edits (move, forbid)"],
        ),
        (("--lock", unit, "--move", f"{FIRST}="), [f"{unit} is locked"]),
        (("--new", "nobody", "--mend", "nowhere"), ["no parcel nobody", "no unit nowhere"]),
        ((), ["Nothing was said to change"]),
    ):
        _, said = place.lowland("unit", "edit", "新", *arguments, code=2)
        assert all(word in said for word in words), (arguments, said)
    assert place.drafts() == before


def test_repairs_are_options_to_paste_and_frozen_units_are_named(place):
    unit = place.rows("SELECT unit_id FROM result.unit")[0][0]
    number = json.loads(place.lowland("unit", "freeze", "--draft", "latest", "--json", code=0)[0])[0][
        "number"
    ]
    value = place.rows("SELECT value_m2 FROM result.draft")[0][0]
    out, said = place.lowland("unit", "edit", "小", "--move", f"{SECOND}=", "--as-said", code=1)
    assert f"{number} is frozen" in out
    assert f"broken {unit} min_ha: is smaller than the least area" in out
    assert f"{unit}: min_ha" in said
    repairs = re.findall(r"\d\. (--.+?): value \S+ m² → ([\d,]+)((?:; settles [^;\n]*)?)", out)
    assert repairs
    for at, (option, leads_to, settles) in enumerate(repairs):
        out, _ = place.lowland("unit", "edit", f"修{at}", "--draft", "小", *shlex.split(option), "--as-said", "--json", code=0)  # fmt: skip
        assert json.loads(out)["after_m2"] == pytest.approx(float(leads_to.replace(",", "")), abs=0.6)
        assert unit in settles
    # Without --as-said the unit that lost a parcel is drawn again on what it has left: here it is gone.
    out, _ = place.lowland("unit", "edit", "弃", "--draft", "flow", "--move", f"{SECOND}=", code=0)
    assert f"--mend {unit}" in out
    assert place.rows("SELECT n_units FROM result.draft WHERE name = '弃'") == [(0,)]
    assert place.rows("SELECT value_m2 FROM result.draft WHERE name = 'flow'") == [(value,)]


def test_a_unit_across_towns_is_drawn_only_where_that_is_allowed_is_named_and_may_be_frozen(place):
    folder = place.project.settings.folder
    towns = gpd.GeoDataFrame(
        {"BSM": ["1", "2"], "XZQDM": ["120113100", "120113101"], "XZQMC": ["甲镇", "乙镇"]},
        geometry=[box(-100, -100, 250, 2_000), box(150, -100, 1_850, 2_000)],
        crs=4548,
    )
    towns.to_file(folder / "towns.gpkg", layer="town")
    ingest(place.project, DeliverySettings(layer="town", source=f"{folder / 'towns.gpkg'}:town"))
    judged(place.project)
    place.lowland("unit", "draft", "分", "--rounds", "0", code=0)
    assert place.rows("SELECT n_units FROM result.draft WHERE name = '分'") == [(0,)]
    _, said = place.lowland("unit", "draft", "跨", "--set", "across_towns=true", code=1)
    assert "across_towns: lies in 2 towns (120113100, 120113101)" in said
    out, _ = place.lowland(
        "unit", "edit", "跨改", "--draft", "跨", "--lock", "120113100-001", "--json", code=1
    )
    assert [row["rule"] for row in json.loads(out)["findings"]] == ["across_towns"]
    frozen = json.loads(place.lowland("unit", "freeze", "--draft", "跨", "--json", code=0)[0])
    assert [row["number"] for row in frozen] == ["120113100-ZKF-001"]
