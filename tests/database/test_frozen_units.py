"""A correction touches frozen units: who reads them says which, by which parcels and how; they are withdrawn or replaced, by commands."""

import json

import geopandas as gpd
import psycopg
import pytest
import shapely
from click.testing import CliRunner

from drawn_units import FIRST, PARCELS, SECOND, ZONES, ready
from lowland_gis.cli import lowland
from lowland_gis.definitions.legend import read_legend
from lowland_gis.errors import LowlandError
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.products.unit_sheet import planning_sheet
from lowland_gis.pipeline.registry.determine import determine
from lowland_gis.pipeline.units.drafts import reading_draft
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels
from registered import as_superuser

# A replacement of the first parcel that makes a unit by itself, and what lies apart of the frozen unit.
WIDE = box(0, 0, 150, 200)
FAR = {f"120113100001GB0001{number}": box(150 * number, 500, 150, 100) for number in range(3)}
OTHER = "120113100001GB00099"
NUMBER = "120113100-ZKF-001"
NEXT = "120113100-ZKF-002"


class Place:
    """A project, and commands on it."""

    def __init__(self, project):
        self.project = project

    def lowland(self, *arguments):
        """Return exit code, stdout and what was said beside it."""
        settings = self.project.settings.folder / "lowland.toml"
        done = CliRunner().invoke(lowland, ["--project", str(settings), *arguments])
        refused = isinstance(done.exception, LowlandError)
        if done.exception is not None and not refused and not isinstance(done.exception, SystemExit):
            raise done.exception
        code = done.exception.exit_code if refused else done.exit_code
        return code, done.stdout, done.stderr + (str(done.exception) if refused else "")

    def rows(self, query):
        with psycopg.connect(self.project.dsn) as connection:
            return connection.execute(query).fetchall()

    def entries(self):
        return self.rows(
            "SELECT number, state, parcels, replaces, reason FROM registry.unit ORDER BY entry_id"
        )

    def corrected(self, parcels, answers=None):
        """Deliver other parcels and judge them: all industrial, but for some answers."""
        path = write_parcels(self.project.settings.folder / "宗地.shp", parcels)
        ingest(self.project, DeliverySettings(layer="parcel", source=str(path)))
        self.judged(answers)

    def judged(self, answers=None):
        tabulate(self.project)
        measure(self.project)
        run = classify(self.project)
        with psycopg.connect(self.project.dsn) as connection:
            connection.execute(
                "UPDATE result.verdict SET answer = 'industrial', rule = 'x' WHERE run_id = %s AND question = 'kind'",
                [run.run_id],
            )
            for parcel, answer in (answers or {}).items():
                connection.execute(
                    "UPDATE result.verdict SET answer = %s WHERE run_id = %s AND question = 'kind' AND parcel_id = %s",
                    [answer, run.run_id, parcel],
                )
        determine(self.project)

    def frozen(self, *arguments):
        assert self.lowland("unit", "draft")[0] == 0
        return self.lowland("unit", "freeze", "--draft", "latest", *arguments)


@pytest.fixture
def place(project):
    """A project with one frozen unit of the first two parcels."""
    ready(project, *ZONES)
    made = Place(project)
    determine(project)
    code, _, said = made.frozen()
    assert code == 0, said
    assert [(row[0], row[2]) for row in made.entries()] == [(NUMBER, [FIRST, SECOND])]
    return made


def readers(place, tmp_path, unit):
    return [
        ("unit", "list"),
        ("unit", "list", "--all"),
        ("unit", "metrics"),
        ("unit", "why", FIRST),
        ("unit", "export", str(tmp_path / "u.gpkg"), "--overwrite"),
        ("unit", "sheet", unit, str(tmp_path / "u.png"), "--overwrite"),
        ("registry", "draft"),
        ("registry", "problems"),
        ("map", "overview", str(tmp_path / "m.png"), "--overwrite"),
    ]


CORRECTIONS = {
    "gone": (FAR | {FIRST: PARCELS[FIRST]}, {}, f"{SECOND} is no parcel any more", "no parcel lies on its ground"),
    "split": (
        FAR | {FIRST: PARCELS[FIRST], f"{SECOND[:-1]}8": box(150, 0, 50, 100), f"{SECOND[:-1]}9": box(200, 0, 100, 100)}, {},
        f"{SECOND} is no parcel any more", f"on its ground lie {SECOND[:-1]}9 (66.7%), {SECOND[:-1]}8 (33.3%)",
    ),
    "outline": (FAR | PARCELS | {SECOND: box(150, 0, 150, 95)}, {}, f"{SECOND} has another outline: ", "95.0% of its ground is as it was"),
    "verdict": (FAR | PARCELS, {SECOND: "none"}, f"{SECOND} is not low-efficiency any more: industrial", "→ none"),
}  # fmt: skip


@pytest.mark.parametrize("kind", CORRECTIONS)
def test_every_reader_says_which_frozen_units_a_correction_has_touched(place, tmp_path, kind):
    parcels, answers, what, how = CORRECTIONS[kind]
    place.corrected(parcels, answers)
    assert place.lowland("unit", "draft")[0] == 0
    unit = place.rows("SELECT max(unit_id) FROM result.unit")[0][0]
    for arguments in readers(place, tmp_path, unit):
        code, _, said = place.lowland(*arguments)
        assert code == 1, (arguments, said)
        assert f"Stale: Frozen units are out of date (已过期):\n  - {NUMBER}: {what}" in said, (
            arguments,
            said,
        )
        assert how in said, arguments
        assert f"lowland unit withdraw {NUMBER} --reason TEXT" in said
        assert f"lowland unit freeze --unit UNIT --replaces {NUMBER}" in said
    for arguments in (
        ("package", "build", str(tmp_path / "p")),
        ("run", "--from", "package"),
        ("unit", "freeze"),
    ):
        code, _, said = place.lowland(*arguments)
        assert code == 3, (arguments, said)
        assert f"{NUMBER}: {what}" in said
        assert how in said
    assert not (tmp_path / "p").exists()
    assert len(place.entries()) == 1


def test_before_the_correction_is_judged_the_ground_is_told_already(place):
    path = write_parcels(place.project.settings.folder / "新.shp", {FIRST: PARCELS[FIRST]})
    ingest(place.project, DeliverySettings(layer="parcel", source=str(path)))
    code, _, said = place.lowland("unit", "list")
    assert code == 1
    assert "parcel: version" in said
    assert f"{NUMBER}: {SECOND} is no parcel any more" in said


def test_a_delivery_that_changes_no_member_lets_the_package_be_built_and_says_what_it_rests_on(
    place, tmp_path
):
    place.corrected(PARCELS | {OTHER: box(1_500, 1_500)})
    assert place.lowland("unit", "list")[0] == 1  # The newest draft is that of before.
    code, _, said = place.lowland("package", "build", str(tmp_path / "p"))
    assert code == 1, said
    assert "rest on the classification run" in said
    assert "of their parcels none is gone, has another outline or is not low-efficiency any more" in said
    # Freezing it again notes that it holds on the new verdicts, under its number, once.
    code, _, said = place.frozen()
    assert code == 0
    assert (
        "0 units frozen, 0 were frozen already, 1 were frozen on other verdicts and are noted on these"
        in said
    )
    assert [row[:2] for row in place.entries()] == [(NUMBER, "frozen")] * 2
    assert place.lowland("unit", "freeze")[0] == 0
    assert len(place.entries()) == 2
    code, _, said = place.lowland("package", "build", str(tmp_path / "p"))
    assert code == 0, said


def test_a_unit_is_withdrawn_with_who_when_and_why_and_its_ground_can_be_frozen_again(place, tmp_path):
    place.corrected({FIRST: WIDE})
    code, out, _ = place.lowland("unit", "withdraw", NUMBER, "--reason", "宗地已注销", "--dry-run")
    assert code == 0
    assert NUMBER in out
    assert len(place.entries()) == 1
    code, out, _ = place.lowland("unit", "withdraw", NUMBER, "--reason", "宗地已注销", "--json")
    assert (code, json.loads(out)[0]["fresh"]) == (0, True)
    assert [(row[0], row[1], row[4]) for row in place.entries()] == [
        (NUMBER, "frozen", None), (NUMBER, "withdrawn", "宗地已注销"),
    ]  # fmt: skip
    kept = place.rows("SELECT DISTINCT geom, parcels, members, area_m2, ledger, run_id FROM registry.unit")
    assert len(kept) == 1
    # Again, also with other words, adds nothing and says so.
    code, _, said = place.lowland("unit", "withdraw", NUMBER, "--reason", "other words")
    assert code == 0
    assert f"{NUMBER} was withdrawn before, by " in said
    assert "宗地已注销; nothing was added" in said
    assert len(place.entries()) == 2
    code, out, said = place.lowland("unit", "list", "--all", "--json")
    assert code == 0, said
    assert [(row["state"], row["reason"], row["touched"]) for row in json.loads(out)] == [
        ("frozen", None, False), ("withdrawn", "宗地已注销", False),
    ]  # fmt: skip
    code, out, said = place.frozen("--json")
    assert code == 0, said
    assert [row["number"] for row in json.loads(out[out.index("[") :])] == [NEXT]
    assert place.lowland("package", "build", str(tmp_path / "p"))[0] == 0
    layer = gpd.read_file(next((tmp_path / "p").rglob("ZKFDY.shp")))
    assert layer["DYBH"].tolist() == [NEXT]


def test_a_corrected_unit_takes_the_place_of_a_frozen_one_in_one_transaction(place, tmp_path):
    place.corrected(PARCELS | {SECOND: box(150, 0, 150, 145)})
    code, _, said = place.frozen()
    assert code == 3
    assert f"{NUMBER}: {SECOND} has another outline" in said
    code, out, said = place.lowland("unit", "freeze", "--replaces", NUMBER, "--dry-run")
    assert code == 0, said
    assert "Dry run: nothing was kept" in said
    assert len(place.entries()) == 1
    code, out, said = place.lowland("unit", "freeze", "--replaces", NUMBER, "--json")
    assert code == 0, said
    assert f"1 units frozen, 0 were frozen already; 1 withdrawn, their place is taken: {NUMBER}" in said
    assert [(row["number"], row["replaces"]) for row in json.loads(out)] == [(NEXT, NUMBER)]
    assert place.entries()[1:] == [
        (NUMBER, "withdrawn", [FIRST, SECOND], None, f"replaced by {NEXT}"),
        (NEXT, "frozen", [FIRST, SECOND], [NUMBER], None),
    ]
    code, out, said = place.lowland("unit", "freeze", "--replaces", NUMBER)
    assert code == 0, said
    assert "0 units frozen, 1 were frozen already" in said
    assert len(place.entries()) == 3
    assert place.lowland("package", "build", str(tmp_path / "p"))[0] == 0
    assert gpd.read_file(next((tmp_path / "p").rglob("ZKFDY.shp")))["DYBH"].tolist() == [NEXT]
    # Of the sheet of the draft that was frozen first the number is history.
    first = place.rows("SELECT min(run_id), min(unit_id) FROM result.unit")[0]
    with reading_draft(place.project, str(first[0])) as draft:
        sheet = planning_sheet(draft, first[1], read_legend())
    assert sheet.title.endswith(f"{NUMBER}（已撤销）")
    assert f"本单元已撤销：replaced by {NEXT}" in sheet.notes[-1]


PIECES = {f"{SECOND[:-1]}8": box(150, 0, 50, 100), f"{SECOND[:-1]}9": box(200, 0, 100, 100)}


def test_a_unit_that_lives_on_in_a_new_delivery_keeps_its_number(place, tmp_path):
    place.corrected({FIRST: PARCELS[FIRST]} | PIECES | FAR)
    assert place.lowland("unit", "draft", "今年", "--from", "frozen", "--stability", "0.5")[0] == 0
    code, out, said = place.lowland("unit", "freeze", "--draft", "今年", "--json")
    assert code == 0, said
    assert (
        f"1 units frozen, 0 were frozen already; 1 live on with other parcels under their numbers: {NUMBER}"
        in said
    )
    assert sorted(row["number"] for row in json.loads(out)) == [NUMBER, NEXT]
    assert sorted(row[:3] for row in place.entries()) == [
        (NUMBER, "frozen", [FIRST, SECOND]),
        (NUMBER, "frozen", [FIRST, *PIECES]),
        (NEXT, "frozen", list(FAR)),
    ]
    # Once more adds nothing, and nobody is told that a frozen unit was touched.
    code, _, said = place.lowland("unit", "freeze", "--draft", "今年")
    assert code == 0, said
    assert "0 units frozen, 2 were frozen already" in said
    assert len(place.entries()) == 3
    assert place.lowland("unit", "list")[0] == 0
    assert place.lowland("registry", "verify")[0] == 0
    assert place.lowland("package", "build", str(tmp_path / "p"))[0] == 0
    layer = gpd.read_file(next((tmp_path / "p").rglob("ZKFDY.shp")))
    assert sorted(layer["DYBH"]) == [NUMBER, NEXT]


def test_a_unit_that_holds_half_of_a_frozen_one_or_less_does_not_have_its_number(place):
    place.corrected({FIRST: PARCELS[FIRST], SECOND: box(150, 0, 150, 140)} | FAR)
    assert place.lowland("unit", "draft", "今年", "--from", "frozen", "--set", "min_ha=1")[0] == 0
    assert place.lowland("unit", "edit", "改", "--draft", "今年", "--move", f"{SECOND}=")[0] == 0
    code, _, said = place.lowland("unit", "freeze", "--draft", "改", "--unit", NUMBER)
    assert code == 3, said
    assert f"{NUMBER}: {SECOND} has another outline" in said
    assert len(place.entries()) == 1


def test_a_draft_that_did_not_start_from_the_frozen_units_gives_no_old_number(place):
    place.corrected({FIRST: PARCELS[FIRST]} | PIECES)
    code, _, said = place.frozen()
    assert code == 3, said
    code, out, said = place.lowland("unit", "freeze", "--replaces", NUMBER, "--json")
    assert code == 0, said
    assert [row["number"] for row in json.loads(out)] == [NEXT]


def test_a_sheet_says_that_its_unit_was_touched(place):
    unit = place.rows("SELECT min(unit_id) FROM result.unit")[0][0]
    place.corrected({FIRST: PARCELS[FIRST]})
    with reading_draft(place.project, "latest") as draft:
        sheet = planning_sheet(draft, unit, read_legend())
    assert sheet.title.endswith(NUMBER)
    assert f"本单元 1 宗地已变更：{SECOND}" in sheet.notes[-1]


def test_the_parcels_of_a_frozen_unit_are_only_taken_by_saying_so(place):
    assert place.lowland("unit", "draft", "小", "--set", "min_ha=1")[0] == 0
    assert place.lowland("unit", "edit", "小", "--draft", "小", "--move", f"{SECOND}=")[0] == 0
    code, _, said = place.lowland("unit", "freeze", "--draft", "小")
    assert code == 2, said
    assert (
        f"has parcels of the frozen unit(s) {NUMBER}; where it is to take their place, add --replaces {NUMBER}"
        in said
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("withdraw", "120113100-ZKF-01", "--reason", "x"), f"there is no frozen unit 120113100-ZKF-01; did you mean {NUMBER}?"),
        (("withdraw", NUMBER, "nothing", "--reason", "x"), "there is no frozen unit nothing"),
        (("withdraw", NUMBER, "--reason", "  "), "no reason is given. Say why with --reason TEXT"),
        (("withdraw", NUMBER), "Missing option '--reason'"),
        (("freeze", "--replaces", "nobody"), "there is no frozen unit nobody"),
    ],
)  # fmt: skip
def test_what_cannot_be_withdrawn_or_replaced_is_refused_by_name_and_nothing_is_written(
    place, arguments, said
):
    code, _, told = place.lowland("unit", *arguments)
    assert code == 2
    assert said in told
    assert len(place.entries()) == 1


def test_a_unit_elsewhere_takes_the_place_of_none(place):
    place.corrected(FAR | {FIRST: PARCELS[FIRST]})
    code, _, said = place.frozen()
    assert code == 3
    assert f"{NUMBER}: {SECOND} is no parcel any more" in said
    code, _, said = place.lowland("unit", "freeze", "--replaces", NUMBER)
    assert code == 2
    assert f"no unit that is to be frozen shares ground with {NUMBER}" in said
    assert place.lowland("unit", "withdraw", NUMBER, "--reason", "注销")[0] == 0
    code, _, said = place.lowland("unit", "freeze", "--replaces", NUMBER)
    assert code == 2
    assert f"the unit {NUMBER} was withdrawn already, so nothing can take its place" in said
    assert place.lowland("unit", "freeze")[0] == 0
    assert [row[:2] for row in place.entries()] == [
        (NUMBER, "frozen"), (NUMBER, "withdrawn"), (NEXT, "frozen"),
    ]  # fmt: skip


def test_a_unit_that_an_older_program_froze_is_compared_by_its_draft(place):
    with as_superuser(place.project.dsn) as connection:
        connection.execute("UPDATE registry.unit SET members = NULL")
    place.corrected(PARCELS | {SECOND: box(150, 0, 150, 95)}, {FIRST: "none"})
    _, _, said = place.lowland("unit", "list", "--all")
    assert f"{NUMBER}: {FIRST} is not low-efficiency any more: industrial" in said
    assert f"{NUMBER}: {SECOND} has another outline: " in said


def test_of_a_draft_that_was_thrown_away_the_codes_are_still_compared(place):
    with as_superuser(place.project.dsn) as connection:
        connection.execute("UPDATE registry.unit SET members = NULL, run_id = 99999")
    place.corrected({FIRST: PARCELS[FIRST]})
    _, _, said = place.lowland("unit", "list", "--all")
    assert f"{NUMBER}: {SECOND} is no parcel any more; where it lay is not known" in said
    place.corrected(PARCELS | {OTHER: box(1_500, 1_500)})
    _, _, said = place.lowland("map", "overview", str(place.project.settings.folder / "m.png"))
    assert "rest on a draft that was thrown away" in said
    assert "of their parcels none is gone; what else became of them is not known" in said


def test_outlines_of_multipolygons_are_compared(place):
    """A parcel that got a second part has another outline."""
    two = shapely.MultiPolygon([PARCELS[SECOND], box(600, 0, 10, 10)])
    place.corrected(PARCELS | {SECOND: two})
    _, _, said = place.lowland("unit", "list")
    assert f"{SECOND} has another outline" in said
    assert "100.0% of its ground is as it was" in said
