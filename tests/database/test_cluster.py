"""The private cluster for real: started, stopped, killed, raced, and run by an ordinary user."""

from __future__ import annotations

import dataclasses
import os
import pwd
import signal
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.private.process import find_postmaster, wait_until
from lowland_gis.db.server import ensure_postgis
from lowland_gis.errors import DatabaseError
from old_cluster import make_old

UP = (
    "import os, sys, pathlib; from lowland_gis.db.private import cluster as c; "
    "c.up(c.locate(pathlib.Path(sys.argv[1]), env=os.environ), durable=False)"
)

# The interpreter may lie where only root can read, so the process changes its user after its imports.
AS_A_USER = """
import os, pathlib, sys
from lowland_gis.db.private import cluster as c
import psycopg
from old_cluster import make_old
home, uid, gid = pathlib.Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
if os.geteuid() == 0:
    os.setgroups([]); os.setgid(gid); os.setuid(uid)
k = c.locate(home, env=os.environ)
try:
    if len(sys.argv) > 4:
        make_old(k)
    c.up(k, durable=False)
    s = c.status(k)
    with psycopg.connect(s.dsn) as connection:
        superuser = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user").fetchone()[0]
    print(k.account, s.state, k.data_dir.stat().st_uid, k.home.parent, c.connect_string(home, None) == s.dsn, superuser)
    with psycopg.connect(c.owner_dsn(k), autocommit=True) as owner:
        owner.execute("CREATE ROLE ann LOGIN")
    c.known(k)
    psycopg.connect(psycopg.conninfo.make_conninfo(s.dsn, user="ann")).close()
finally:
    c.remove(k)
"""


@pytest.fixture(scope="module")
def own(state_dir):
    """A cluster that these tests may kill; its project has a long Chinese path with spaces."""
    project = state_dir / "我的 项目" / ("北辰 " * 20) / ("long " * 40)
    made = clusters.locate(project, env=os.environ | {"LOWLAND_STATE": str(state_dir / "own 状态")})
    try:
        clusters.up(made, durable=False)
        yield made
    finally:
        clusters.remove(made)


def ask(cluster, statement="SELECT 1"):
    with psycopg.connect(clusters.dsn(cluster), connect_timeout=10) as connection:
        return connection.execute(statement).fetchone()[0]


def tell(cluster, statement):
    with psycopg.connect(clusters.dsn(cluster), connect_timeout=10) as connection:
        connection.execute(statement)


def kill_server(cluster):
    pid = find_postmaster(cluster).pid
    os.kill(pid, signal.SIGKILL)
    assert wait_until(lambda: find_postmaster(cluster) is None, 20)
    return pid


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_up_down_up_keeps_the_data(own):
    clusters.up(own, durable=False)
    tell(own, "CREATE TABLE kept AS SELECT 7 AS n")
    assert clusters.status(own).state == "running"
    assert clusters.down(own)
    assert clusters.status(own).state == "stopped"
    assert not clusters.down(own)
    clusters.up(own, durable=False)
    assert ask(own, "SELECT n FROM kept") == 7


def test_nobody_else_can_reach_it(own):
    clusters.up(own, durable=False)
    assert mode(own.data_dir) == 0o700
    assert mode(own.socket_dir) == 0o700
    assert own.socket_dir.stat().st_uid == own.owner
    assert not mode(own.home) & 0o066
    assert ask(own, "SHOW listen_addresses") == ""
    assert ask(own, "SHOW unix_socket_permissions") == "0700"
    assert ask(own, "SHOW data_checksums") == "on"


def test_up_again_keeps_the_same_server(own):
    clusters.up(own, durable=False)
    before = clusters.status(own).pid
    clusters.up(own, durable=False)
    assert clusters.status(own).pid == before


def test_what_was_committed_is_there_after_kill_9(own):
    clusters.down(own)
    clusters.up(own)
    tell(own, "CREATE TABLE before_kill AS SELECT 5 AS n")
    killed = kill_server(own)
    assert clusters.status(own).state == "stopped"
    clusters.up(own, durable=False)
    assert clusters.status(own).pid != killed
    assert ask(own, "SELECT n FROM before_kill") == 5


def test_it_comes_back_while_a_session_of_the_killed_server_still_works(own):
    clusters.up(own, durable=False)
    with psycopg.connect(clusters.dsn(own), autocommit=True) as connection:
        busy = (
            "DO $$ DECLARE x float := 0; BEGIN FOR i IN 1..2000000000 LOOP x := x + sqrt(i); END LOOP; END $$"
        )
        with ThreadPoolExecutor(1) as pool:
            work = pool.submit(connection.execute, busy)
            active = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'DO %'"
            assert wait_until(lambda: ask(own, active) == 1, 20)
            kill_server(own)
            clusters.up(own, durable=False)
            with pytest.raises(psycopg.OperationalError):
                work.result(timeout=30)
    assert ask(own) == 1


def test_a_pid_that_is_another_program_now_is_not_taken_for_the_server(own):
    clusters.up(own, durable=False)
    pid_file = own.data_dir / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    kill_server(own)
    account = {} if own.account is None else {"user": own.account.uid, "group": own.account.gid}
    with subprocess.Popen(["sleep", "600"], cwd="/", **account) as other:
        try:
            pid_file.write_text("\n".join([str(other.pid), *lines[1:]]) + "\n")
            (own.socket_dir / ".s.PGSQL.5432.lock").write_text(f"{other.pid}\n")
            assert clusters.status(own).state == "stopped"
            assert not clusters.down(own)
            clusters.up(own, durable=False)
            assert ask(own) == 1
            assert other.poll() is None
        finally:
            other.kill()


def test_an_empty_pid_file_does_not_stop_the_start(own):
    clusters.up(own, durable=False)
    clusters.down(own)
    (own.data_dir / "postmaster.pid").write_text("")
    clusters.up(own, durable=False)
    assert ask(own) == 1


def test_a_server_whose_socket_was_swept_away_is_started_anew(own):
    clusters.up(own, durable=False)
    for entry in own.socket_dir.iterdir():
        entry.unlink()
    own.socket_dir.rmdir()
    clusters.up(own, durable=False)
    assert ask(own) == 1


def test_a_half_made_data_folder_is_not_taken_for_a_good_one(own):
    fresh = dataclasses.replace(
        own, home=own.home.with_name("half"), socket_dir=own.socket_dir.with_name("lowland-half-test")
    )
    left_over = fresh.home / "data.new-killed"
    left_over.mkdir(parents=True)
    (left_over / "PG_VERSION").write_text("15\n")
    try:
        assert clusters.status(fresh).state == "absent"
        clusters.up(fresh, durable=False)
        assert ask(fresh) == 1
        assert not left_over.exists()
    finally:
        clusters.remove(fresh)


def test_kill_9_of_up_at_any_moment_leaves_a_state_that_up_completes(state_dir):
    project = state_dir / "killed"
    environment = os.environ | {"LOWLAND_STATE": str(state_dir / "killed-state")}
    cluster = clusters.locate(project, env=environment)
    try:
        for entry in ("lock", "data.new-*", "data.new-*/base/1", "server.conf", "data/postmaster.pid"):
            with subprocess.Popen([sys.executable, "-c", UP, str(project)], env=environment) as starting:
                wait_until(
                    lambda entry=entry, p=starting: any(cluster.home.glob(entry)) or p.poll() is not None, 60
                )
                starting.kill()
        clusters.up(cluster, durable=False)
        assert ask(cluster, "SELECT count(*) FROM pg_extension WHERE extname = 'postgis'") == 1
        assert not list(cluster.home.glob("data.new-*"))
    finally:
        clusters.remove(cluster)


def test_two_at_once_make_one_server(state_dir):
    project = state_dir / "raced"
    environment = os.environ | {"LOWLAND_STATE": str(state_dir / "raced-state")}
    cluster = clusters.locate(project, env=environment)
    command = [sys.executable, "-c", UP, str(project)]
    try:
        racers = [
            subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for _ in range(3)
        ]
        said = [racer.communicate(timeout=120)[1] for racer in racers]
        assert [racer.returncode for racer in racers] == [0, 0, 0], said
        assert ask(cluster) == 1
        made = [line for line in cluster.log.read_text().splitlines() if "starting PostgreSQL" in line]
        assert len(made) == 1
    finally:
        clusters.remove(cluster)


def test_a_foreign_socket_folder_is_refused(own):
    clusters.down(own)
    own.socket_dir.chmod(0o777)
    with pytest.raises(DatabaseError, match="another user could listen"):
        clusters.up(own, durable=False)
    own.socket_dir.chmod(0o700)
    clusters.up(own, durable=False)


def test_a_server_that_cannot_start_says_why(own):
    clusters.down(own)
    conf = own.data_dir / "postgresql.auto.conf"
    good = conf.read_text()
    try:
        conf.write_text("shared_buffers = 'much'\n")
        with pytest.raises(DatabaseError, match="shared_buffers") as refused:
            clusters.up(own, durable=False)
        assert str(own.log) in str(refused.value)
    finally:
        conf.write_text(good)
    clusters.up(own, durable=False)


def test_the_service_file_connects(own):
    clusters.up(own, durable=False)
    path = clusters.service_file(own)
    assert mode(path) == 0o600
    environment = os.environ | {"PGSERVICEFILE": str(path)}
    test = "import psycopg; print(psycopg.connect('service=lowland').execute('SELECT postgis_lib_version()').fetchone()[0])"
    shown = subprocess.run(
        [sys.executable, "-c", test], env=environment, capture_output=True, text=True, check=True
    )
    assert shown.stdout.startswith("3.")


def test_settings_for_real_data_are_durable(own):
    clusters.down(own)
    clusters.up(own)
    shown = {
        name: ask(own, f"SHOW {name}")
        for name in ("fsync", "full_page_writes", "synchronous_commit", "work_mem")
    }
    assert shown == {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on", "work_mem": "64MB"}
    clusters.down(own)


def test_a_given_server_gets_postgis_or_a_refusal(cluster):
    bare = make_conninfo(clusters.superuser_dsn(cluster), dbname="bare_for_server_test")
    with psycopg.connect(clusters.superuser_dsn(cluster), autocommit=True) as connection:
        connection.execute("CREATE DATABASE bare_for_server_test TEMPLATE template0")
        connection.execute("CREATE ROLE visitor_for_server_test LOGIN")
        clusters.known(cluster)
        try:
            with pytest.raises(DatabaseError, match="CREATE EXTENSION postgis"):
                ensure_postgis(make_conninfo(bare, user="visitor_for_server_test"))
            assert ensure_postgis(bare).postgis.startswith("3.")
        finally:
            connection.execute("DROP DATABASE bare_for_server_test WITH (FORCE)")
            connection.execute("DROP ROLE visitor_for_server_test")
    with pytest.raises(DatabaseError, match="cannot connect"):
        ensure_postgis(bare)


@pytest.mark.parametrize("older", [(), ("older",)])
def test_an_ordinary_user_needs_no_help_of_root(older):
    user = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    with tempfile.TemporaryDirectory(prefix="lowland-user-", dir="/tmp") as name:
        os.chown(name, user.pw_uid, user.pw_gid)
        environment = {
            "HOME": name,
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(Path(__file__).parents[1]),
        }
        command = [sys.executable, "-c", AS_A_USER, name, str(user.pw_uid), str(user.pw_gid), *older]
        shown = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert shown.stderr == ""
        assert shown.stdout.split() == [
            "None",
            "running",
            str(user.pw_uid),
            f"{name}/.local/share/lowland",
            "True",
            "False",
        ]


def test_the_program_is_no_superuser_and_only_roles_of_the_map_are_let_in(own):
    clusters.up(own, durable=False)
    mine = "SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolbypassrls FROM pg_roles WHERE rolname = session_user"
    assert ask(own, mine) is False
    with psycopg.connect(clusters.owner_dsn(own), autocommit=True) as owner:
        assert owner.execute("SELECT rolsuper FROM pg_roles WHERE rolname = session_user").fetchone() == (
            False,
        )
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owner.execute("SELECT pg_read_file('PG_VERSION')")
        owner.execute('CREATE ROLE "Zhang ""三"" x" LOGIN')
    stranger = make_conninfo(clusters.dsn(own), user='Zhang "三" x')
    with pytest.raises(psycopg.OperationalError, match="[Pp]eer authentication failed"):
        psycopg.connect(stranger)
    clusters.known(own)
    psycopg.connect(stranger).close()
    with pytest.raises(psycopg.OperationalError, match="[Pp]eer authentication failed"):
        psycopg.connect(make_conninfo(clusters.dsn(own), user="nobody_of_this_name"))
    rules = (own.data_dir / "pg_hba.conf").read_text()
    assert [line for line in rules.splitlines() if not line.startswith("#")] == [
        "local all all peer map=lowland"
    ]


@pytest.fixture
def old(state_dir):
    """A cluster as an older program made it, running."""
    made = clusters.locate(
        state_dir / "old", env=os.environ | {"LOWLAND_STATE": str(state_dir / "old-state")}
    )
    try:
        make_old(made)
        yield made
    finally:
        clusters.remove(made)


@pytest.mark.parametrize("stopped", [False, True])
def test_a_cluster_of_an_older_program_is_changed_by_up(old, stopped):
    if stopped:
        clusters.down(old)
    clusters.up(old, durable=False)
    assert ask(old, "SELECT rolsuper FROM pg_roles WHERE rolname = session_user") is False
    with psycopg.connect(clusters.owner_dsn(old)) as owner:
        assert owner.execute("SELECT parcel_id FROM land.shown").fetchall() == [("宗地",)]
        owner.execute("INSERT INTO land.parcel (parcel_id, version_id) VALUES ('x', 1)")
        for change in (
            "DROP VIEW land.shown",
            'ALTER TABLE land."parcel 1" ALTER n SET STATISTICS 0',
            'ALTER TABLE land.parcel DETACH PARTITION land."parcel 1"',
            "DROP FUNCTION land.seven()",
            "DROP TYPE land.grade",
            "DROP SEQUENCE public.loose",
            "DROP SCHEMA land CASCADE",
        ):
            owner.execute(change)
        owner.rollback()
    assert ask(old, "SELECT string_agg(rolname, ' ') FROM pg_roles WHERE rolsuper") == "postgres"
    with pytest.raises(psycopg.OperationalError, match="[Pp]eer authentication failed"):
        psycopg.connect(make_conninfo(clusters.dsn(old), user="nobody_of_this_name"))
    before = clusters.status(old).pid
    clusters.up(old, durable=False)
    assert clusters.status(old).pid == before


def test_up_goes_on_where_it_was_stopped_while_it_changed_an_older_cluster(old):
    with psycopg.connect(clusters.dsn(old), autocommit=True) as connection:
        connection.execute("CREATE ROLE lowland_renaming SUPERUSER LOGIN")
    clusters.up(old, durable=False)
    assert ask(old, "SELECT count(*) FROM pg_roles WHERE rolname = 'lowland_renaming'") == 0
    assert ask(old, "SELECT rolsuper FROM pg_roles WHERE rolname = session_user") is False
