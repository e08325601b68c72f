"""Backups on a database with decisions: what comes back, what is refused and leaves everything as it was, what is seen beside others at work."""

# Names are of the catalogue.
# ruff: noqa: S608
import datetime as dt
import hashlib
import io
import json
import os
import secrets
import stat
import zipfile

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

import registered
import revision_data
from databases import created
from lowland_gis import schema
from lowland_gis.cli import main
from lowland_gis.db import migrate, parts, revision
from lowland_gis.db.chain import chained_tables, row_key
from lowland_gis.db.copy import encoded, send
from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.role_names import ROLES
from lowland_gis.errors import DatabaseError, InputRefusedError, UsageError
from lowland_gis.pipeline.backup.project_files import Found, project_files
from lowland_gis.pipeline.backup.read import verify_backup
from lowland_gis.pipeline.backup.restore import restore_backup
from lowland_gis.pipeline.backup.write import write_backup
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.registry.moves import Typed, record_move
from lowland_gis.pipeline.registry.subjects import Asked
from lowland_gis.pipeline.registry.verify import verify
from registered import as_superuser, deliver_parcels, owned, paper
from role_matrix import accounts, table_matrix

SRID = 4548
PROJECT = registered.PROJECT.replace("[project]", "# 本区\n[project]")
PARCELS = [f"12011310100{number}GB0000{number}" for number in range(3)]
MANIFEST = "manifest.json"
# Every text that a value can hold, as COPY must bring it back.
ODD = "制表\t换行\n反斜\\ \\N \r\v\b\f 𠮷 '\"{,}"


@pytest.fixture
def empty(cluster):
    """The connection string of a database with nothing in it."""
    with fresh(cluster) as dsn:
        yield dsn


def fresh(cluster):
    return created(cluster, f"test_{secrets.token_hex(6)}")


@pytest.fixture(scope="module")
def decided(module_database, tmp_path_factory):
    """A project with a delivery, a row in every table of the results and the registry, and moves with their paper."""
    folder = tmp_path_factory.mktemp("备份 项目")
    (folder / "lowland.toml").write_text(PROJECT.format(dsn=module_database), encoding="utf-8")
    (folder / "definitions" / "codes").mkdir(parents=True)
    (folder / "definitions" / "说明.md").write_text("我们的", encoding="utf-8")
    with as_superuser(module_database) as connection:
        for table in ("source", "layer_version"):
            name = f"pg_get_serial_sequence('land.{table}', '{table.removeprefix('layer_')}_id')"
            connection.execute(f"SELECT setval({name}, 100)")
    deliver_parcels(module_database, PARCELS)
    os.environ.pop("LOWLAND_DSN", None)
    project = open_project(folder)
    record_move(project, Typed("survey", on=dt.date(2024, 2, 1)), Asked(tuple(PARCELS)))
    record_move(project, Typed("draft", on=dt.date(2024, 2, 2)), Asked(tuple(PARCELS)))
    typed = Typed("notice", on=dt.date(2024, 3, 1), document=paper(folder, "公示"), document_no=ODD)
    record_move(project, typed, Asked(tuple(PARCELS)))
    revision_data.fill(module_database)
    with as_superuser(module_database) as connection:
        # What was made up is no decision of anybody.
        for table in chained_tables():
            connection.execute(
                f"DELETE FROM {table.full_name} WHERE {row_key(table)} NOT IN"
                " (SELECT row_no FROM registry.link WHERE table_name = %s)",
                [table.name],
            )
        connection.execute("UPDATE land.source SET path = %s", [ODD])
    with psycopg.connect(module_database) as connection:
        connection.execute(
            "INSERT INTO registry.problem (parcel_id, question, clause, needed, office, state, run_id, recorded_at, recorded_by)"
            " VALUES ('P', %s, '税收', '', '税务局', 'draft', 3, now(), 'x')",
            [ODD],
        )
        connection.execute(
            "INSERT INTO registry.unit (number, unit_id, parcels, area_m2, low_share, value_m2, ledger, geom, state, run_id, recorded_at,"
            " recorded_by) VALUES ('N', 'u', '[\"P\"]', 1e-300, 'NaN', '-Infinity', '{}',"
            " 'SRID=4548;MULTIPOLYGON(((0 0, 10 0, 10 10, 0 0)))', 'frozen', 4, '1969-12-31 23:59:59.25+00', 'x')"
        )
    return project


@pytest.fixture(scope="module")
def backup(decided, tmp_path_factory):
    """A backup of it."""
    target = tmp_path_factory.mktemp("backup") / "一.lowland"
    write_backup(
        decided.dsn, project_files(decided.settings.folder / "lowland.toml", decided.settings), target
    )
    return target


def contents(dsn):
    """Every row of every table of a database, in partitions too, as md5 of their texts: read by other words than the program's."""
    with psycopg.connect(owned(dsn)) as connection:
        tables = connection.execute(
            "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind = 'r'"
            # Roles carry the name of their database, which is another one.
            " AND n.nspname IN ('land', 'land_part', 'result', 'registry', 'lowland') AND c.oid::regclass::text <> 'lowland.role' ORDER BY 1"
        ).fetchall()
        return {
            table: connection.execute(
                f"SELECT count(*), md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) FROM {table} AS t"
            ).fetchone()
            for (table,) in tables
        }


def is_empty(dsn):
    return contents(dsn) == {}


def restored(path, dsn, folder, **more):
    return restore_backup(path, dsn, folder / "lowland.toml", **more)


def changed(path, target, change, *, seal=True):
    """Write a backup whose parts somebody changed, sealed anew: `change` gets name → content."""
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    change(held)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.comment = b"0" * 64
        for name, content in held.items():
            archive.writestr(name, content)
    if seal:
        resealed(target)
    return target


def resealed(target):
    whole = target.read_bytes()[:-64]
    target.write_bytes(whole + hashlib.sha256(whole).hexdigest().encode())


def edited(name, edit):
    """A change of one part, with which the manifest agrees."""

    def change(held):
        held[name] = edit(held[name])
        manifest = json.loads(held[MANIFEST])
        for part in [part for table in manifest["tables"] for part in table["parts"]] + manifest["files"]:
            if part["member"] == name:
                rows = {} if part["path"] else {"rows": held[name].count(b"\n")}
                part.update(size=len(held[name]), sha256=hashlib.sha256(held[name]).hexdigest(), **rows)
        held[MANIFEST] = json.dumps(manifest).encode()

    return change


def told(change):
    """A change of what the manifest says."""

    def work(held):
        manifest = json.loads(held[MANIFEST])
        change(manifest)
        held[MANIFEST] = json.dumps(manifest).encode()

    return work


def test_all_rows_come_back_with_who_and_when_and_the_guards_stand_again(decided, backup, empty, tmp_path):
    before, head = contents(decided.dsn), verify(decided).head
    done = restored(backup, empty, tmp_path, head=head)
    assert (done.missing, done.other_files, done.manifest.registry_head) == ((), (), head)
    assert contents(empty) == before
    assert sum(rows for rows, _ in before.values()) > 100
    with psycopg.connect(owned(decided.dsn)) as connection:
        numbers = (
            "SELECT last_value FROM pg_sequences WHERE schemaname = 'registry' AND sequencename LIKE 'entry%'"
        )
        last = connection.execute(numbers).fetchone()[0]
    with psycopg.connect(owned(empty)) as connection:
        # Numbers are never given again.
        entered = "INSERT INTO registry.entry (register, subject, matter, ordinal) VALUES ('unit', 'z', '', 1) RETURNING entry_id"
        assert connection.execute(entered).fetchone() == (last + 1,)
        row = connection.execute(
            "SELECT min(recorded_by), min(recorded_at) < now() FROM registry.event"
        ).fetchone()
        assert row == ("lowland", True)
        for statement in (
            "UPDATE registry.event SET reason = 'x'",
            "DELETE FROM registry.link",
            "TRUNCATE registry.problem",
        ):
            with pytest.raises(psycopg.Error, match="append-only"), connection.transaction():
                connection.execute(statement)
        with pytest.raises(psycopg.Error, match="said by the database"), connection.transaction():
            connection.execute(
                "INSERT INTO registry.entry (register, subject, matter, ordinal, recorded_by) VALUES ('unit', 'y', '', 1, 'x')"
            )


def catalogue(dsn):
    """All that stands on tables and partitions: columns, statistics, indexes, constraints, triggers, policies, rights."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            # Roles carry the name of their database.
            "SELECT c.relname, c.relrowsecurity, c.relforcerowsecurity, regexp_replace(c.relacl::text, 'lowland_\\w+_', '', 'g'),"
            " ARRAY(SELECT ROW(attname, format_type(atttypid, atttypmod), attnotnull, attidentity, attstattarget, col_description(c.oid, attnum))::text"
            "  FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum),"
            " ARRAY(SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = c.oid ORDER BY 1),"
            " ARRAY(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = c.oid ORDER BY 1),"
            " ARRAY(SELECT ROW(tgname, tgenabled)::text FROM pg_trigger WHERE tgrelid = c.oid AND NOT tgisinternal ORDER BY 1),"
            " ARRAY(SELECT ROW(polname, polcmd)::text FROM pg_policy WHERE polrelid = c.oid ORDER BY 1)"
            " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
            " WHERE n.nspname IN ('land', 'land_part', 'result', 'registry') AND c.relkind IN ('r', 'p', 'v') ORDER BY n.nspname, c.relname"
        ).fetchall()


def test_roles_may_the_same_after_a_restore(cluster, new_database, tmp_path):
    with new_database() as dsn, fresh(cluster) as empty:
        revision_data.fill(dsn)
        with as_superuser(dsn) as connection:
            connection.execute("TRUNCATE registry.link")
        written = write_backup(dsn, Found({}, ()), tmp_path / "a").manifest
        assert {role.role for role in written.roles} >= {f"lowland_{{database}}_{role}" for role in ROLES}
        done = restored(tmp_path / "a", empty, tmp_path)
        assert done.missing == ()
        migrate.settle_roles(owned(dsn), dsn)  # of the part that was made up
        with accounts(dsn) as people, accounts(empty) as again:
            clusters.known(cluster)
            assert table_matrix(again, owned(empty)) == table_matrix(people, owned(dsn))


def test_tables_and_partitions_are_made_as_a_delivery_makes_them(cluster, new_database, tmp_path):
    with new_database() as dsn, fresh(cluster) as empty:
        deliver_parcels(dsn, PARCELS)
        with psycopg.connect(dsn) as connection:
            # The other table with partitions, as a delivery of it does.
            part = parts.new_part(connection, schema.FEATURE, 1)
            parts.attach_part(connection, schema.FEATURE, 1)
            assert part.name == "feature_1"
        write_backup(dsn, Found({}, ()), tmp_path / "a")
        restored(tmp_path / "a", empty, tmp_path)
        assert catalogue(empty) == catalogue(dsn)


def test_settings_and_definitions_come_back_without_where_the_database_is(decided, backup, empty, tmp_path):
    restored(backup, empty, tmp_path)
    text = (tmp_path / "lowland.toml").read_text(encoding="utf-8")
    assert "dsn" not in text
    assert "# 本区" in text
    assert "120113" in text
    assert (tmp_path / "definitions" / "说明.md").read_text(encoding="utf-8") == "我们的"
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600


def test_a_file_that_is_there_is_left_and_named(backup, empty, tmp_path):
    (tmp_path / "definitions").mkdir()
    (tmp_path / "definitions" / "说明.md").write_text("另一个", encoding="utf-8")
    assert restored(backup, empty, tmp_path).other_files == ("definitions/说明.md",)
    assert (tmp_path / "definitions" / "说明.md").read_text(encoding="utf-8") == "另一个"


def test_a_database_that_is_not_empty_is_left_as_it_is(decided, backup, tmp_path):
    before = contents(decided.dsn)
    with pytest.raises(DatabaseError, match="is not empty"):
        restored(backup, decided.dsn, tmp_path)
    assert contents(decided.dsn) == before
    assert list(tmp_path.iterdir()) == []


def test_another_plane_is_refused(backup, empty, tmp_path):
    with pytest.raises(UsageError, match="EPSG:4548, but the project says EPSG:4549"):
        restored(backup, empty, tmp_path, srid=4549)
    assert is_empty(empty)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.9, 0.9999])
def test_a_backup_that_was_cut_short_is_refused(backup, empty, tmp_path, share):
    whole = backup.read_bytes()
    cut = tmp_path / "cut"
    cut.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(InputRefusedError, match="cut short|no backup of lowland"):
        restored(cut, empty, tmp_path / "new")
    with pytest.raises(InputRefusedError):
        verify_backup(cut)
    assert is_empty(empty)
    assert not (tmp_path / "new").exists()


def test_a_bit_that_is_another_one_is_found_wherever_it_is(backup, tmp_path):
    whole = bytearray(backup.read_bytes())
    flipped = tmp_path / "flipped"
    named = 0
    for place in [*range(0, len(whole), len(whole) // 60), *range(len(whole) - 90, len(whole))]:
        whole[place] ^= 4
        flipped.write_bytes(whole)
        with pytest.raises(InputRefusedError) as refused:
            verify_backup(flipped)
        named += "its part rows/" in str(refused.value)
        whole[place] ^= 4
    assert named > 20
    flipped.write_bytes(whole)
    assert verify_backup(flipped).proof.sound


def unsafe(name, **more):
    def change(held):
        held[name] = b"x"

    return change


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (unsafe("../../etc/evil"), "'../../etc/evil' would be written elsewhere"),
        (unsafe("/etc/evil"), "would be written elsewhere"),
        (unsafe("C:evil"), "would be written elsewhere"),
        (unsafe("rows/other.tsv"), "not just those that manifest.json names"),
        (lambda held: held.pop("rows/land.source.tsv"), "not just those that manifest.json names"),
        (lambda held: held.pop(MANIFEST), "no backup of lowland"),
        (lambda held: held.update({MANIFEST: b"[1"}), "does not say what a backup says"),
        (lambda held: held.update({MANIFEST: b"[" * 100_000}), "does not say what a backup says"),
        (lambda held: held.update({MANIFEST: b"{}"}), "does not say what a backup says"),
        (lambda held: held.update({"rows/land.issue.tsv": bytes(200_000_000)}), "looks like a bomb"),
        (told(lambda said: said.update(revision="9999")), "made by a newer lowland .*revision 9999.*Install the newer version"),
        (told(lambda said: said.update(form=2)), "made by a newer lowland .*form 2"),
        (told(lambda said: said["tables"][0]["parts"][0].update(rows=77)), "rows/land.*rows .* of 77"),
        (told(lambda said: said["tables"][0]["parts"][0].update(sha256="0" * 64)), "or another digest"),
        (told(lambda said: said["tables"].pop()), "not just those that manifest.json names"),
        (told(lambda said: said["tables"][0]["columns"].append(["x", "text"])), "other columns .x."),
        (told(lambda said: said["tables"][0].update(name="pg_catalog.pg_class")), "table pg_catalog.pg_class: only in the backup"),
        (told(lambda said: said.update(revision="0013")), "not of the schema that it says it has"),
        (told(lambda said: said["sequences"].update({"registry.event.event_id": 10**9})), "the chain|refused|numbers|"),
        (told(lambda said: said["files"][0].update(path="../evil.toml")), "written outside the project's folder"),
        (told(lambda said: said["files"][0].update(path="/tmp/evil.toml")), "written outside the project's folder"),
        (edited("rows/land.source.tsv", lambda rows: rows + b"not\ta\trow\n"), "rows/land.source.tsv are none of land.source"),
        (edited("rows/result.evidence_measure.tsv", lambda rows: rows.replace(b"2\t", b"999\t", 1)), "result.evidence_measure"),
    ],
)  # fmt: skip
def test_what_no_backup_is_is_refused_with_its_place_and_leaves_nothing(
    backup, cluster, tmp_path, change, said
):
    made = changed(backup, tmp_path / "made", change)
    target = tmp_path / "new"
    target.mkdir()
    with fresh(cluster) as empty:
        if said.endswith("|"):
            # A number that goes on further than it must does no harm.
            restored(made, empty, target)
            return
        with pytest.raises(InputRefusedError, match=said):
            restored(made, empty, target)
        assert is_empty(empty)
    assert list(target.iterdir()) == []
    assert not (tmp_path / "evil.toml").exists()


def test_a_link_in_it_is_refused(backup, tmp_path):
    with zipfile.ZipFile(backup) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    made = tmp_path / "made"
    with zipfile.ZipFile(made, "w") as archive:
        archive.comment = b"0" * 64
        for name, content in held.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = (stat.S_IFLNK if name == "rows/land.issue.tsv" else stat.S_IFREG) << 16
            archive.writestr(info, content)
    resealed(made)
    with pytest.raises(InputRefusedError, match="is a link"):
        verify_backup(made)


def test_a_seal_that_was_not_made_anew_is_told_from_a_broken_part(backup, tmp_path):
    made = changed(backup, tmp_path / "made", edited("rows/land.source.tsv", lambda rows: rows), seal=False)
    with pytest.raises(InputRefusedError, match="its seal does not fit"):
        verify_backup(made)


REASON = (b"\xe5\x85\xac\xe7\xa4\xba", b"\xe5\x85\xac\xe5\xbc\x80")


@pytest.mark.parametrize(
    ("name", "edit", "what"),
    [
        ("event", lambda rows: rows.replace(b"notice", b"notise", 1), "changed"),
        ("paper", lambda rows: rows.replace(*REASON), "changed"),
        ("entry", lambda rows: b"".join(rows.splitlines(keepends=True)[1:]), "removed|violates foreign key"),
        ("problem", lambda rows: rows + rows.replace(rows.split(b"\t")[0], b"999", 1), "inserted"),
        ("link", lambda rows: b"".join(rows.splitlines(keepends=True)[1:]), "removed|the chain"),
    ],
)  # fmt: skip
def test_a_row_of_the_registry_that_was_changed_in_the_backup_is_named_and_nothing_restored(
    backup, empty, tmp_path, name, edit, what
):
    made = changed(backup, tmp_path / "made", edited(f"rows/registry.{name}.tsv", edit))
    found = verify_backup(made).proof
    assert not found.sound
    assert {(each.table_name, each.what) for each in found.findings} >= {(name, what.partition("|")[0])}
    with pytest.raises(InputRefusedError, match=f"{name}.*({what})|({what}).*{name}|head"):
        restored(made, empty, tmp_path / "new")
    assert is_empty(empty)


def test_a_chain_that_was_made_anew_is_told_by_a_head_that_was_kept(decided, backup, empty, tmp_path):
    """Who rewrites a backup with all of its links is found by nothing but a head from elsewhere."""
    head = verify(decided).head

    def forge(held):
        edited("rows/registry.event.tsv", lambda rows: rows.replace(b"2024-03-01", b"2024-03-02"))(held)
        links = [line.split(b"\t") for line in held["rows/registry.link.tsv"].splitlines()]
        manifest = json.loads(held[MANIFEST])
        wrong = {(each.table_name, each.row_no): None for each in proof_of(held).findings}
        table = next(each for each in manifest["tables"] if each["name"] == "registry.event")
        rows = {
            int(
                dict(zip([name for name, _ in table["columns"]], line.split(b"\t"), strict=True))["event_id"]
            ): line
            for line in held["rows/registry.event.tsv"].splitlines()
        }
        top = b""
        for link in links:
            if (link[1].decode(), int(link[2])) in wrong:
                named = dict(
                    zip([name for name, _ in table["columns"]], rows[int(link[2])].split(b"\t"), strict=True)
                )
                link[3] = b"\\\\x" + row_sha256(named, sorted(map(tuple, table["columns"]))).hex().encode()
            digest = bytes.fromhex(link[3][3:].decode())
            top = hashlib.sha256(top + link[1] + b" " + link[2] + b" " + digest).digest()
            link[4] = b"\\\\x" + top.hex().encode()
        edited("rows/registry.link.tsv", lambda _: b"".join(b"\t".join(link) + b"\n" for link in links))(held)
        told(lambda said: said.update(registry_head=top.hex()))(held)

    from lowland_gis.pipeline.backup.proof import row_sha256

    def proof_of(held):
        target = tmp_path / "between"
        with zipfile.ZipFile(target, "w") as archive:
            archive.comment = b"0" * 64
            for name, content in held.items():
                archive.writestr(name, content)
        resealed(target)
        return verify_backup(target).proof

    made = changed(backup, tmp_path / "forged", forge)
    assert verify_backup(made).proof.sound
    assert verify_backup(made, head=head).proof.passes is False
    with pytest.raises(InputRefusedError, match="does not pass through the head that was given"):
        restored(made, empty, tmp_path / "new", head=head)
    assert is_empty(empty)


def test_a_registry_with_findings_is_backed_up_and_says_so(decided, tmp_path, cluster, capsys):
    with as_superuser(decided.dsn) as connection:
        connection.execute(
            "UPDATE registry.entry SET town_code = 'x' WHERE entry_id = (SELECT max(entry_id) FROM registry.entry)"
        )
    try:
        written = write_backup(decided.dsn, Found({}, ()), tmp_path / "a").manifest
        assert written.n_findings == 1
        with fresh(cluster) as empty:
            assert [each.what for each in restored(tmp_path / "a", empty, tmp_path).proof.findings] == [
                "changed"
            ]
    finally:
        with as_superuser(decided.dsn) as connection:
            connection.execute("UPDATE registry.entry SET town_code = '120113101' WHERE town_code = 'x'")


def test_a_backup_is_one_state_of_the_database_whoever_works_beside_it(new_database, cluster, tmp_path):
    """A delivery that is kept in between is frozen, and so seen by transactions that began before: it is not in the backup."""
    with new_database() as dsn, fresh(cluster) as empty:
        deliver_parcels(dsn, PARCELS[:1])
        before, came = contents(dsn), []

        def beside(_done, _of):
            if not came:
                came.append(True)
                _deliver_frozen(dsn)

        write_backup(dsn, Found({}, ()), tmp_path / "a", watch=beside)
        assert came
        assert contents(dsn) != before
        restored(tmp_path / "a", empty, tmp_path)
        assert contents(empty) == before


def _deliver_frozen(dsn):
    import pandas as pd
    import shapely

    with psycopg.connect(dsn) as connection:
        version = connection.execute(
            "INSERT INTO land.layer_version (layer, source_id, digest, loaded_at, loaded_by, n_read, n_loaded, n_rejected)"
            " SELECT layer, source_id, 'y', now(), 'x', 1, 1, 0 FROM land.layer_version RETURNING version_id"
        ).fetchone()[0]
        part = parts.new_part(connection, schema.PARCEL, version)
        square = shapely.multipolygons([shapely.box(0, 0, 1, 1)])
        rows = pd.DataFrame(
            {
                "parcel_id": ["Q"],
                "row_no": [1],
                "attributes": ["{}"],
                "area_m2": [1.0],
                "planar_m2": [1.0],
                "geom": [square],
            }
        )
        send(connection, encoded(part, rows, srid=SRID, constants={"version_id": version}, made_here=True))
        parts.attach_part(connection, schema.PARCEL, version)
    with psycopg.connect(dsn) as connection:
        assert connection.execute("SELECT count(*) FROM land.parcel").fetchone() == (2,)


def test_a_restore_whose_server_goes_away_leaves_nothing(backup, empty, tmp_path):
    def ended(_done, of):
        if of is not None and of < 1000:
            with psycopg.connect(make_conninfo(empty, user="postgres"), autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )

    with pytest.raises(DatabaseError, match="Nothing was changed|went away"):
        restored(backup, empty, tmp_path / "new", watch=ended)
    assert is_empty(empty)
    assert not (tmp_path / "new" / "lowland.toml").exists()


def test_results_that_nothing_rests_on_may_be_left_out(decided, tmp_path, cluster):
    """Runs 3 and 4 are named by the registry; run 3 was made from 2, which was made from 1."""
    with as_superuser(decided.dsn) as connection:
        connection.execute("UPDATE result.run SET digest = 'd' || run_id, inputs = '{}'")
        connection.execute(
            """UPDATE result.run SET inputs = '{"measure": "d2", "measure_run": 2}' WHERE run_id = 3"""
        )
        connection.execute("""UPDATE result.run SET inputs = '{"layers": {"a": ["d1"]}}' WHERE run_id = 2""")
    written = write_backup(decided.dsn, Found({}, ()), tmp_path / "a", results=False).manifest
    assert written.results == "rested"
    with fresh(cluster) as empty:
        restored(tmp_path / "a", empty, tmp_path)
        with psycopg.connect(empty) as connection:
            assert connection.execute(
                "SELECT array_agg(run_id ORDER BY run_id) FROM result.run"
            ).fetchone() == ([1, 2, 3, 4],)
            for table in ("verdict", "parcel_evidence", "evidence_measure", "unit", "member", "draft"):
                held = "SELECT array_agg(DISTINCT run_id ORDER BY run_id) FROM result." + table
                with psycopg.connect(decided.dsn) as other:
                    everything = other.execute(held).fetchone()[0]
                assert connection.execute(held).fetchone()[0] == [run for run in everything if run <= 4]
                assert max(everything) > 4


REVISIONS = sorted(number for number in revision.known_revisions() if number >= "0007")


@pytest.mark.parametrize("number", REVISIONS)
def test_a_backup_of_an_older_revision_is_restored_and_migrated(cluster, tmp_path, number):
    """What comes out is what the database itself is after its own migration."""
    with fresh(cluster) as dsn, fresh(cluster) as empty:
        migrate.upgrade(dsn, SRID, number)
        revision_data.fill(dsn)
        with as_superuser(dsn) as connection:
            # Rows that are made up are links of no chain.
            if number >= "0014":
                connection.execute("TRUNCATE registry.link")
        written = write_backup(dsn, Found({}, ()), tmp_path / "a").manifest
        assert written.revision == number
        assert verify_backup(tmp_path / "a").manifest == written
        kept = {table.name: table.rows for table in written.tables}
        assert kept["land.parcel"] == kept["registry.low_efficiency"] == 1
        lossy = migrate_lost(dsn)
        if lossy:
            with pytest.raises(UsageError, match="would go for good"):
                restored(tmp_path / "a", empty, tmp_path / "new")
            assert is_empty(empty)
        told_of = []
        restored(tmp_path / "a", empty, tmp_path / "new", agreed=lambda lost: told_of.append(lost) or True)
        assert bool(told_of) == bool(lossy)
        migrate.upgrade(dsn, SRID, agreed=lambda _: True)
        assert revision_data.rows(empty) == revision_data.rows(dsn)


def migrate_lost(dsn):
    found = []
    try:
        migrate.upgrade(dsn, SRID, agreed=lambda lost: found.extend(lost) or False)
    except UsageError:
        return found
    return found


def test_what_is_not_in_it_is_named(new_database, tmp_path):
    with new_database() as dsn:
        with psycopg.connect(owned(dsn)) as connection:
            connection.execute("CREATE TABLE land.mine (a integer)")
            connection.execute("CREATE TABLE public.qgis_projects (a integer)")
            connection.execute("ALTER TABLE land.issue ADD COLUMN remark text")
        written = write_backup(dsn, Found({}, ("x: too far away",)), tmp_path / "a").manifest
    assert written.left_out == (
        "table land.mine: not of lowland", "column land.issue.remark: not of lowland", "table qgis_projects: not of lowland",
        "x: too far away",
    )  # fmt: skip


def test_a_project_file_with_faults_is_in_its_backup_all_the_same(tmp_path):
    (tmp_path / "lowland.toml").write_text("[project]\nname = 1\n", encoding="utf-8")
    found = project_files(tmp_path / "lowland.toml", None)
    assert list(found.files) == ["lowland.toml"]
    assert found.left_out == ("files that the settings name: the settings have faults",)


def command(project, *arguments):
    out = io.StringIO()
    with pytest.raises(SystemExit) as left:
        main(["--project", str(project.settings.folder / "lowland.toml"), *arguments])
    return left.value.code, out


def test_commands_print_the_head_and_never_replace_what_is_not_theirs(decided, tmp_path, capsys):
    target = tmp_path / "a.lowland"
    head = f"registry head {verify(decided).head}"
    assert command(decided, "db", "backup", str(target))[0] == 0
    said = capsys.readouterr()
    assert said.out.strip() == head
    assert "files of the project" in said.err
    assert command(decided, "db", "verify", str(target), "--head", head.rsplit(maxsplit=1)[-1])[0] == 0
    said = capsys.readouterr()
    assert head in said.out
    assert "passes through the head" in said.err
    assert command(decided, "db", "verify", str(target), "--head", "0" * 64)[0] == 1
    assert command(decided, "db", "backup", str(target))[0] == 0
    target.write_bytes(b"another's")
    assert command(decided, "db", "backup", str(target))[0] == 2
    assert target.read_bytes() == b"another's"
    assert command(decided, "db", "restore", str(target))[0] == 3
    assert "no backup of lowland" in capsys.readouterr().err
