"""What stands for a run of the stage tabulate without having been computed by it: over many corrections, and when runs are thrown away."""

import numpy as np
import psycopg
import pytest

from database.test_tabulate import boundary, rows
from lowland_gis.pipeline.base.runs import current_versions
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import layer_overlaps, tabulate
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

LAYER = "eco_redline"
COVER = "parcel_id, rest_m2, excess_m2"
COUNT, ROUNDS = 60, 6


class District:
    """Parcels at places drawn by chance that are delivered again and again, some of them changed."""

    def __init__(self, project, folder, seed):
        self.project, self.folder, self.random = project, folder, np.random.default_rng(seed)
        self.there = {f"120113100001GB{number:05d}": self.place() for number in range(COUNT)}
        self.gone = {}

    def place(self):
        return tuple(self.random.uniform(0, 1000, 2).round(3).tolist())

    def deliver(self):
        shapes = {code: box(*corner, 130.7) for code, corner in sorted(self.there.items())}
        path = write_parcels(self.folder / "宗地.shp", shapes)
        ingest(self.project, DeliverySettings(layer="parcel", source=str(path)))

    def zones(self):
        lie = self.random.uniform(0, 1000, (50, 2)).round(3), self.random.uniform(50, 400, (50, 2)).round(3)
        boundary(self.project, self.folder, *(box(*at, *size) for at, size in zip(*lie, strict=True)))

    def correct(self):
        """Move two parcels, let two go, and bring one back that was gone, where it was."""
        back = next(iter(self.gone), None)
        moved = self.random.choice(sorted(self.there), 4, replace=False).tolist()
        for code in moved[:2]:
            self.there[code] = self.place()
        for code in moved[2:]:
            self.gone[code] = self.there.pop(code)
        if back is not None:
            self.there[back] = self.gone.pop(back)
        self.deliver()

    def shown(self, run):
        """Return what overlaps and cover of a run are shown."""
        return rows(self.project, run), rows(self.project, run, "cover", COVER)

    def computed(self):
        """Return the overlaps of the parcels in force, computed anew."""
        with self.project.snapshot() as connection:
            found = layer_overlaps(connection, self.project, current_versions(connection), LAYER)
        return [[LAYER, *row] for row in found.sort_values(["parcel_id", "code"]).to_numpy().tolist()]

    def ask(self, query, *values):
        with psycopg.connect(self.project.dsn) as connection:
            return connection.execute(query, values).fetchall()


@pytest.fixture(params=range(3))
def district(project, tmp_path, request):
    made = District(project, tmp_path, request.param)
    made.zones()
    made.deliver()
    return made


def corrected(district):
    """Return runs, one after each correction and one after other zones too, with what each was shown as when it was made."""
    runs = [tabulate(district.project)]
    shown = {runs[0].run_id: district.shown(runs[0])}
    for number in range(ROUNDS):
        if number == ROUNDS - 2:
            district.zones()
        district.correct()
        runs.append(tabulate(district.project))
        shown[runs[-1].run_id] = district.shown(runs[-1])
        assert shown[runs[-1].run_id][0] == district.computed() != []
    return runs, shown


def test_after_every_correction_a_run_equals_one_that_computes_all(district):
    runs, shown = corrected(district)
    # What was shown of a run is shown of it for good.
    assert {run.run_id: district.shown(run) for run in runs} == shown
    by = {run.run_id: [row[0] for row in district.ask(BY, run.run_id)] for run in runs}
    first, second, third = (run.run_id for run in runs[:3])
    assert by[second] == [first, second]
    assert by[third] == [first, second, third]
    # Where many parcels were others since, rows were copied, and the run rests on itself alone; so it is with other zones.
    assert any(found == [run] for run, found in by.items() if run not in (first, runs[ROUNDS - 1].run_id))
    assert by[runs[ROUNDS - 1].run_id] == [runs[ROUNDS - 1].run_id]


BY = "SELECT computed_by FROM result.overlap_run WHERE run_id = %s ORDER BY 1"


def test_only_what_changed_is_written(district):
    tabulate(district.project)
    before = dict(district.there)
    district.correct()
    changed = {code for code, corner in district.there.items() if before.get(code) != corner}
    run = tabulate(district.project)
    computed = "SELECT parcel_id FROM result.computed_overlap WHERE run_id = %s"
    written = {row[0] for row in district.ask(computed, run.run_id)}
    shown = {row[1] for row in rows(district.project, run)}
    assert written == shown & changed
    assert len(shown) > COUNT / 2


@pytest.mark.parametrize("at_once", [False, True])
def test_runs_that_are_thrown_away_leave_what_others_rest_on(district, at_once):
    runs, shown = corrected(district)
    order = district.random.permutation(len(runs)).tolist()
    going = (
        [[runs[at].run_id] for at in order]
        if not at_once
        else [[runs[at].run_id for at in order[:4]], [runs[at].run_id for at in order[4:]]]
    )
    for some in going:
        with psycopg.connect(district.project.dsn) as connection:
            connection.execute("DELETE FROM result.run WHERE run_id = ANY(%s)", [some])
        shown = {run: found for run, found in shown.items() if run not in some}
        assert {run.run_id: district.shown(run) for run in runs if run.run_id in shown} == shown
    for table in ("computed_overlap", "computed_cover", "overlap_run", "other_parcel"):
        assert district.ask(f"SELECT count(*) FROM result.{table}") == [(0,)]  # noqa: S608 - fixed names
