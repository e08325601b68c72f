"""A draft starts from frozen or earlier units: what changes is priced and listed, what is gone is named, what overlaps is refused."""

import json

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

NUMBER = "120113100-ZKF-001"
FOURTH, NEW = "120113100001GB00004", "120113100001GB00008"


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

    def ok(self, *arguments, code=0):
        done = self.lowland(*arguments)
        assert done[0] == code, done
        return done

    def rows(self, query):
        with psycopg.connect(self.project.dsn) as connection:
            return connection.execute(query).fetchall()

    def delivered(self, parcels):
        """Deliver other parcels, of which all are industrial."""
        path = write_parcels(self.project.settings.folder / "宗地.shp", parcels)
        ingest(self.project, DeliverySettings(layer="parcel", source=str(path)))
        tabulate(self.project)
        measure(self.project)
        run = classify(self.project)
        with psycopg.connect(self.project.dsn) as connection:
            connection.execute(
                "UPDATE result.verdict SET answer = 'industrial', rule = 'x' WHERE run_id = %s AND question = 'kind'",
                [run.run_id],
            )


@pytest.fixture
def place(project):
    """A project with one frozen unit of the first two parcels."""
    ready(project, *ZONES)
    made = Place(project)
    made.ok("unit", "draft")
    made.ok("unit", "freeze", "--draft", "latest")
    return made


# The second parcel was numbered anew and a fourth one came; the third lies in the red line.
LATER = {FIRST: PARCELS[FIRST], NEW: PARCELS[SECOND], THIRD: PARCELS[THIRD], FOURTH: box(0, 100, 150, 100)}


def test_a_draft_from_frozen_units_keeps_their_number_and_tells_every_change(place):
    place.delivered(LATER)
    _, _, said = place.ok("unit", "draft", "今年", "--from", "frozen", "--stability", "2")
    assert f"parcels of earlier units are not there any more: {SECOND}" in said
    assert "0 units stay to the parcel, 1 live on with other parcels, 0 are gone, 0 are new" in said
    units = {row["unit_id"]: row for row in json.loads(place.lowland("unit", "metrics", "今年", "--json")[1])}
    assert set(units) == {NUMBER}
    # Two parcels of 1.5 ha keep their unit at 2 m² a m²; the fourth would cost more than it brings.
    assert units[NUMBER]["kept_value"] == pytest.approx(2 * 30_000, abs=150)
    code, out, _ = place.lowland("unit", "changes", "今年", "--json")
    rows = {row["parcel_id"]: row for row in json.loads(out)}
    assert set(rows) == {SECOND}
    assert (rows[SECOND]["from_unit"], rows[SECOND]["to_unit"]) == (NUMBER, None)
    assert rows[SECOND]["reason"] == "the parcel is not there any more"
    # Without a price the fourth joins, and the list says what it brings.
    place.ok("unit", "draft", "自由", "--from", "frozen")
    rows = {
        row["parcel_id"]: row for row in json.loads(place.lowland("unit", "changes", "自由", "--json")[1])
    }
    assert (rows[FOURTH]["from_unit"], rows[FOURTH]["to_unit"]) == (None, NUMBER)
    assert rows[FOURTH]["gain_m2"] > 10_000
    plain = place.lowland("unit", "changes", "今年", "--from", "自由", "--json")
    assert [row["parcel_id"] for row in json.loads(plain[1])] == [FOURTH]
    assert code == 1


def test_the_same_draft_is_not_drawn_twice_and_an_edit_of_it_keeps_what_it_started_from(place):
    place.delivered(LATER)
    place.ok("unit", "draft", "今年", "--from", "frozen", "--stability", "2")
    _, out, _ = place.ok("unit", "draft", "今年", "--from", "frozen", "--stability", "2")
    assert "holds already" in out
    before = place.rows("SELECT value_m2 FROM result.draft WHERE name = '今年'")[0][0]
    place.ok("unit", "edit", "改", "--draft", "今年", "--move", f"{FOURTH}={NUMBER}")
    after = place.rows("SELECT value_m2 FROM result.draft WHERE name = '改'")[0][0]
    # 1.5 ha of low-efficiency land come, at twice that much for land that was in no unit, and 200 m more outline, less what faces.
    assert after - before == pytest.approx(15_000 - 2 * 15_000 - 12 * 200, abs=300)
    rows = json.loads(place.lowland("unit", "changes", "改", "--json")[1])
    assert {row["parcel_id"] for row in rows} == {SECOND, FOURTH}
    assert place.rows("SELECT base_run_id IS NOT NULL FROM result.draft WHERE name = '改'") == [(True,)]


def test_overlapping_frozen_units_are_refused_and_nothing_is_drawn(place):
    place.rows("SELECT 1")
    with psycopg.connect(place.project.dsn) as connection:
        connection.execute(
            "INSERT INTO registry.unit (number, state, unit_id, town_code, parcels, members, area_m2, low_share, value_m2, ledger,"
            " run_id, recorded_at, recorded_by, geom) SELECT 'X-1', state, unit_id, town_code, parcels - 0, members, area_m2,"
            " low_share, value_m2, ledger, run_id, now(), recorded_by, geom FROM registry.unit"
        )
    count = place.rows("SELECT count(*) FROM result.draft")
    code, _, said = place.lowland("unit", "draft", "x", "--from", "frozen")
    assert code == 2
    assert "The frozen units overlap" in said
    assert f"parcel {SECOND} is in the frozen units {NUMBER} and X-1" in said
    assert "have 30," in said
    assert "m² in common" in said
    assert place.rows("SELECT count(*) FROM result.draft") == count


def test_what_cannot_be_is_refused(place):
    code, _, said = place.lowland("unit", "draft", "x", "--stability", "2")
    assert (code, "Name those: --from DRAFT or --from frozen" in said) == (2, True)
    code, _, said = place.lowland("unit", "draft", "x", "--from", "nowhere")
    assert (code, "There is no draft 'nowhere'" in said) == (2, True)
    code, _, said = place.lowland("unit", "draft", "--from", "frozen")
    assert (code, "need a name" in said) == (2, True)
    code, _, said = place.lowland("unit", "changes", "flow")
    assert (code, "started from no earlier units" in said) == (2, True)
    place.ok("unit", "withdraw", NUMBER, "--reason", "x")
    code, _, said = place.lowland("unit", "draft", "x", "--from", "frozen")
    assert (code, "There are no frozen units to start from" in said) == (2, True)


@pytest.mark.parametrize("start", ["frozen", "flow"])
def test_a_quiet_unit_is_locked_and_one_that_has_changed_is_not(place, start):
    place.delivered(PARCELS | {FOURTH: box(0, 100, 150, 100)})
    place.ok("unit", "draft", "锁", "--from", start, "--lock-quiet")
    members = dict(
        place.rows(
            "SELECT parcel_id, unit_id FROM result.member JOIN result.draft USING (run_id) WHERE name = '锁'"
        )
    )
    assert members[FIRST] == members[SECOND] is not None
    assert members[FOURTH] is None
    place.delivered(PARCELS | {SECOND: box(150, 0, 150, 90), FOURTH: box(0, 100, 150, 100)})
    place.ok("unit", "draft", "改后", "--from", start, "--lock-quiet")
    members = dict(
        place.rows(
            "SELECT parcel_id, unit_id FROM result.member JOIN result.draft USING (run_id) WHERE name = '改后'"
        )
    )
    assert members[FOURTH] == members[FIRST] is not None
    code, _, said = place.lowland("unit", "draft", "x", "--lock-quiet")
    assert (code, "Name those: --from DRAFT or --from frozen" in said) == (2, True)
