"""A connection that breaks at COMMIT: what is said is true, and the same command again does no harm."""

import psycopg
import pytest

from broken_line import breaking_line
from drawn_units import FIRST, SECOND, ZONES, ready
from lowland_gis.analysis.units.edit import Edit
from lowland_gis.db.connect import transaction
from lowland_gis.db.migrate import downgrade, upgrade
from lowland_gis.db.revision import current_revision, newest_revision
from lowland_gis.errors import DatabaseError
from lowland_gis.pipeline.base.papers import register
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.quality.check import check
from lowland_gis.pipeline.quality.findings import accept
from lowland_gis.pipeline.registry.determine import determine
from lowland_gis.pipeline.units.drafts import edit
from lowland_gis.pipeline.units.draw import delineate, draft
from lowland_gis.pipeline.units.freeze import freeze, withdraw
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

PARCEL = "120113100001GB00001"
TABLES = ("land.layer_version", "land.parcel", "result.run", "result.overlap", "result.evidence", "result.verdict",
          "registry.low_efficiency", "registry.legacy", "registry.problem", "registry.document")  # fmt: skip


def counts(dsn):
    with psycopg.connect(dsn) as connection:
        return {table: connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in TABLES}  # noqa: S608


@pytest.fixture
def work(project):
    """Every writing command of a small project, in the order of the flow."""
    folder = project.settings.folder
    source = write_parcels(folder / "宗地.shp", {PARCEL: box(0, 0)})
    paper = folder / "消防.pdf"
    paper.write_bytes(b"%PDF a paper")
    return {
        "ingest": lambda on: ingest(on, DeliverySettings(layer="parcel", source=str(source))),
        "document": lambda on: register(on, PARCEL, "paper_fire", paper, says=True),
        "tabulate": tabulate,
        "measure": measure,
        "classify": classify,
        "determine": determine,
    }


def test_the_answer_to_commit_is_lost_in_every_writing_command(project, work):
    with breaking_line(project.dsn) as (dsn, line):
        broken = Project(project.settings, dsn)
        for name, command in work.items():
            before = counts(project.dsn)
            line.lost = "answer"
            with pytest.raises(DatabaseError) as lost:
                command(broken)
            assert line.lost is None, name
            said = str(lost.value)
            assert "was unknown" in said, name
            assert "Nothing was changed" not in said, name
            assert "the database says that all of it was kept" in said, name
            kept = counts(project.dsn)
            assert kept != before, name
            command(broken)
            assert counts(project.dsn) == kept, name


def test_the_order_to_commit_is_lost_and_nothing_was_kept(project, work):
    with breaking_line(project.dsn) as (dsn, line):
        broken = Project(project.settings, dsn)
        for name, command in work.items():
            before = counts(project.dsn)
            line.lost = "order"
            with pytest.raises(DatabaseError, match="the database says that nothing was changed"):
                command(broken)
            assert counts(project.dsn) == before, name
            command(broken)
            assert counts(project.dsn) != before, name


def test_a_server_that_stays_away_leaves_it_unknown(project, work):
    with breaking_line(project.dsn) as (dsn, line):
        line.lost, line.closed_for_good = "answer", True
        with pytest.raises(DatabaseError, match="still unknown: either all of it was kept or nothing"):
            work["ingest"](Project(project.settings, dsn))
    assert counts(project.dsn)["land.parcel"] == 1


def test_a_transaction_that_wrote_nothing_leaves_nothing_unknown(project):
    with breaking_line(project.dsn) as (dsn, line):
        line.lost = "answer"
        with pytest.raises(DatabaseError, match="Nothing was changed"), transaction(dsn) as connection:
            connection.execute("SELECT 1")
        assert line.cuts == 1


def test_a_server_that_refuses_the_commit_has_changed_nothing(project):
    with (
        pytest.raises(DatabaseError, match="refused.*Nothing was changed"),
        transaction(project.dsn) as connection,
    ):
        connection.execute("CREATE TABLE public.once (n int UNIQUE DEFERRABLE INITIALLY DEFERRED)")
        connection.execute("INSERT INTO public.once VALUES (1), (1)")
    with psycopg.connect(project.dsn) as connection:
        assert connection.execute("SELECT to_regclass('public.once')").fetchone() == (None,)


def test_a_backend_that_is_ended_in_mid_transaction_has_changed_nothing(project):
    with (
        pytest.raises(DatabaseError, match="went away.*Nothing was changed"),
        transaction(project.dsn) as connection,
    ):
        connection.execute("CREATE TABLE public.once (n int)")
        with psycopg.connect(project.dsn) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [connection.info.backend_pid])
        connection.execute("INSERT INTO public.once VALUES (1)")
    with psycopg.connect(project.dsn) as connection:
        assert connection.execute("SELECT to_regclass('public.once')").fetchone() == (None,)


def test_a_migration_whose_commit_is_lost_is_unknown_and_goes_on(database):
    downgrade(database, 4548)
    with breaking_line(database) as (dsn, line):
        # The step, not one of the readings before it.
        line.lost, line.marker = "answer", b"INSERT INTO lowland.alembic_version"
        with pytest.raises(DatabaseError, match="unknown whether the step that was being committed was kept"):
            upgrade(dsn, 4548)
        assert line.cuts == 1
        upgrade(dsn, 4548)
    assert current_revision(database) == newest_revision()


def test_drafts_frozen_units_and_accepted_findings_are_written_once(project):
    """What people decide: each command is typed again after its answer was lost, also where `latest` is the new draft by then."""
    ready(project, *ZONES)
    check(project)
    with project.transaction() as connection:
        number = connection.execute(
            "SELECT min(finding_id) FROM land.finding WHERE status = 'open'"
        ).fetchone()[0]
    delineate(project)
    commands = {
        "draft": lambda on: draft(on, "小", {"min_ha": 1.0}),
        "edit": lambda on: edit(on, "latest", "改", (Edit("forbid", (FIRST,)),)),
        "split": lambda on: edit(on, "latest", "分", (Edit("move", (SECOND,), ()),)),
        "freeze": lambda on: freeze(on, "flow"),
        "withdraw": lambda on: withdraw(on, ["120113100-ZKF-001"], "measured anew"),
        "accept": lambda on: accepted(on, number),
    }
    tables = (
        "result.run",
        "result.draft",
        "result.unit",
        "registry.unit",
        "land.finding WHERE status = 'accepted'",
    )
    with breaking_line(project.dsn) as (dsn, line):
        broken = Project(project.settings, dsn)
        for name, command in commands.items():
            before = counted(project, tables)
            line.lost = "answer"
            with pytest.raises(DatabaseError, match="was unknown"):
                command(broken)
            kept = counted(project, tables)
            assert kept != before, name
            command(broken)
            assert counted(project, tables) == kept, name


def counted(project, tables):
    with psycopg.connect(project.dsn) as connection:
        return [connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables]  # noqa: S608


def accepted(project, number):
    with project.transaction() as connection:
        return accept(connection, [number], "measured on the ground")
