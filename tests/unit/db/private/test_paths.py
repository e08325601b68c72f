"""The pure parts of the private cluster: places, search order, settings, connection strings."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lowland_gis.db.private import cluster as clusters
from lowland_gis.db.private.binaries import find_binaries, search_path
from lowland_gis.db.private.paths import LONGEST_SOCKET_BYTES, SOCKET_NAME, check_private
from lowland_gis.db.private.process import server_settings
from lowland_gis.db.private.programs import server_environment
from lowland_gis.db.server import psql_call, without_password
from lowland_gis.errors import DatabaseError, UsageError


def locate(project, state, **more):
    return clusters.locate(project, env={"LOWLAND_STATE": str(state), **more})


def test_the_same_folder_has_the_same_cluster_and_another_one_another(tmp_path):
    one, again, other = (locate(tmp_path / name, tmp_path) for name in ("a", "b/../a", "b"))
    assert one == again
    assert one.home != other.home
    assert one.socket_dir != other.socket_dir


def test_two_states_of_one_project_do_not_share_a_socket(tmp_path):
    assert locate(tmp_path, tmp_path / "x").socket_dir != locate(tmp_path, tmp_path / "y").socket_dir


@pytest.mark.parametrize("project", ["深" * 80 + "/" + "d" * 250, "我的 项目/北辰 区"])
def test_a_long_or_chinese_path_gives_a_short_socket(tmp_path, project):
    runtime = tmp_path / ("r" * 120)
    runtime.mkdir()
    cluster = locate(tmp_path / project, tmp_path, XDG_RUNTIME_DIR=str(runtime))
    assert len(os.fsencode(cluster.socket_dir / SOCKET_NAME)) <= LONGEST_SOCKET_BYTES


def test_a_path_that_a_shell_would_read_is_refused(tmp_path):
    with pytest.raises(DatabaseError, match="LOWLAND_STATE"):
        locate(tmp_path, tmp_path / "$(id)")


def test_a_link_or_an_open_folder_is_not_private(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    check_private(folder, os.geteuid(), 0o077)
    link = tmp_path / "link"
    link.symlink_to(folder)
    with pytest.raises(DatabaseError, match="another user could listen"):
        check_private(link, os.geteuid(), 0o077)
    with pytest.raises(DatabaseError):
        check_private(folder, os.geteuid() + 1, 0o077)
    folder.chmod(0o777)
    with pytest.raises(DatabaseError, match="0777"):
        check_private(folder, os.geteuid(), 0o077)


def test_a_chosen_folder_is_the_only_one_searched(tmp_path):
    search = search_path({"LOWLAND_PG_BIN": str(tmp_path), "PATH": "/usr/bin", "CONDA_PREFIX": "/conda"})
    assert search.groups == ((tmp_path,),)


def test_conda_comes_before_the_system_and_path_comes_last(tmp_path):
    (tmp_path / "usr/lib/postgresql/15/bin").mkdir(parents=True)
    search = search_path({"CONDA_PREFIX": "/conda", "PATH": "/a:relative::/b"}, root=tmp_path)
    assert search.groups == (
        (Path("/conda/bin"),),
        (tmp_path / "usr/lib/postgresql/15/bin",),
        (Path("/a"), Path("/b")),
    )


def programs(folder, version, share):
    """Stand-ins for another version of PostgreSQL, which this machine may not have."""
    folder.mkdir(parents=True)
    for name in ("initdb", "pg_ctl", "postgres"):
        (folder / name).write_text(f"#!/bin/sh\nprintf 'VERSION={version}.1\\nshare_path={share}\\n' >&2\n")
        (folder / name).chmod(0o755)


def test_the_newest_with_postgis_wins_and_data_decide_the_version(tmp_path):
    with_postgis, bare = tmp_path / "share", tmp_path / "bare"
    (with_postgis / "extension").mkdir(parents=True)
    (with_postgis / "extension/postgis.control").write_text("")
    for version, share in (
        (9, with_postgis),
        (14, with_postgis),
        (15, with_postgis),
        (16, with_postgis),
        (17, bare),
    ):
        programs(tmp_path / f"usr/lib/postgresql/{version}/bin", version, share)
    search = search_path({}, root=tmp_path)
    assert find_binaries(search, None).major == 16
    assert find_binaries(search, None, wanted=15).major == 15
    with pytest.raises(DatabaseError, match=r"made by PostgreSQL 14, and lowland needs 15 or newer"):
        find_binaries(search, None, wanted=14)
    with pytest.raises(
        DatabaseError, match=r"17 without PostGIS; .*the data folder was made by PostgreSQL 17"
    ):
        find_binaries(search, None, wanted=17)


def test_missing_postgis_names_the_line_for_each_system(tmp_path):
    with pytest.raises(DatabaseError) as refused:
        find_binaries(search_path({"LOWLAND_PG_BIN": str(tmp_path), "PATH": ""}), None)
    for words in (
        str(tmp_path),
        "apt-get install -y postgresql-postgis",
        "brew install postgis",
        "conda install",
    ):
        assert words in str(refused.value)
    assert refused.value.exit_code == 4


def test_settings_open_no_port_and_quote_the_folder():
    text = server_settings(Path("/run/it's"), durable=True, shared_memory=None)
    assert "listen_addresses = ''\n" in text
    assert "unix_socket_directories = '/run/it''s'\n" in text
    assert "fsync = 'on'\n" in text
    assert "fsync = 'off'\n" in server_settings(Path("/run"), durable=False, shared_memory=None)


def test_little_shared_memory_is_avoided():
    assert "dynamic_shared_memory_type = 'sysv'" in server_settings(
        Path("/r"), durable=True, shared_memory=64 << 20
    )
    assert "dynamic_shared" not in server_settings(Path("/r"), durable=True, shared_memory=8 << 30)


def test_a_server_inherits_neither_settings_nor_passwords():
    kept = server_environment({"PGHOST": "x", "PGPASSWORD": "x", "LOWLAND_DSN": "x", "PATH": "/bin"})
    assert kept == {"PATH": "/bin", "LC_ALL": "C"}


def test_a_password_is_never_shown():
    dsn = "postgresql://ann:s3cret@db/land"
    assert "s3cret" not in without_password(dsn)
    arguments, environment = psql_call("psql", dsn, {"HOME": "/h"})
    assert "s3cret" not in " ".join(arguments)
    assert environment == {"HOME": "/h", "PGPASSWORD": "s3cret"}
    with pytest.raises(UsageError) as refused:
        without_password("password s3cret")
    assert "s3cret" not in str(refused.value)


def test_a_stopped_cluster_has_no_connection_string(tmp_path):
    with pytest.raises(DatabaseError, match="type: lowland db up"):
        clusters.connect_string(tmp_path, None, env={"LOWLAND_STATE": str(tmp_path)})
    assert clusters.connect_string(tmp_path, "host=db", env={}) == "host=db"
