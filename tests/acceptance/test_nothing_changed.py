"""A run in which nothing has changed leaves package and map as they are; whatever has changed is noticed, also by other hands."""

import os
import shutil
from dataclasses import replace

import pytest

from databases import DEMO, created
from lowland_gis.cli import main
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.flow import run
from lowland_gis.pipeline.quality.check import check


@pytest.fixture(scope="module")
def filed(demo, cluster, tmp_path_factory):
    """The demo in a folder and a database of its own, with what its last run filed there."""
    folder = tmp_path_factory.mktemp("unchanged") / "project"
    shutil.copytree(demo.folder, folder)
    with created(cluster, "nothing_changed", DEMO) as dsn:
        own = replace(demo, folder=folder, dsn=dsn)
        with pytest.MonkeyPatch.context() as patched:
            patched.setenv("LOWLAND_DSN", dsn)
            run(open_project(folder))
            yield own


def outputs(filed):
    """Path → inode, time and content of everything that was filed."""
    files = [path for path in (filed.folder / "out").rglob("*") if path.is_file()]
    return {path: (path.stat().st_ino, path.stat().st_mtime_ns, path.read_bytes()) for path in files}


def contents(filed):
    return {path: content for path, (_, _, content) in outputs(filed).items()}


def run_again(filed):
    told = []
    reports = {report.stage: report.text for report in run(open_project(filed.folder), tell=told.append)}
    return reports, told


def test_nothing_is_made_again_where_nothing_has_changed(filed):
    before, (first, _) = outputs(filed), run_again(filed)
    assert len(before) > 10
    assert outputs(filed) == before
    assert all("holds already" in first[stage] for stage in ("tabulate", "measure", "classify", "delineate"))
    second, told = run_again(filed)
    assert second == first
    assert any("package and map hold already" in line for line in told)


def test_a_check_in_between_changes_nothing_of_what_was_filed(filed):
    before = outputs(filed)
    check(open_project(filed.folder), suite="topology")
    _, told = run_again(filed)
    assert outputs(filed) == before
    assert any("package and map hold already" in line for line in told)


def test_what_is_missing_is_made_again_with_the_same_bytes(filed):
    before = contents(filed)
    (filed.folder / "out" / "overview.png").unlink()
    shutil.rmtree(filed.folder / "out" / "package")
    run_again(filed)
    assert contents(filed) == before


@pytest.mark.parametrize("name", ["overview.png", "*.dbf"])
def test_what_somebody_edited_is_noticed_and_kept(filed, name):
    path = next((filed.folder / "out").rglob(name)) if "*" in name else filed.folder / "out" / name
    before = path.read_bytes()
    path.write_bytes(before + b" ")
    edited = contents(filed)
    with pytest.raises(UsageError, match=r"changed since|not as lowland built it"):
        run_again(filed)
    assert contents(filed)[path] == edited[path]
    path.write_bytes(before)
    run_again(filed)


def test_what_somebody_put_into_the_package_is_noticed(filed):
    note = filed.folder / "out" / "package" / "note.txt"
    note.write_text("seen", encoding="utf-8")
    with pytest.raises(UsageError, match=r"note\.txt: not in the manifest"):
        run_again(filed)
    note.unlink()


def test_a_setting_of_the_package_makes_it_anew(filed):
    file = filed.folder / "lowland.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace('district_name = "北辰区"', 'district_name = "南辰区"'), encoding="utf-8")
    run_again(filed)
    assert all("南辰区" in path.as_posix() for path in contents(filed) if path.suffix == ".dbf")
    file.write_text(text, encoding="utf-8")
    run_again(filed)


def test_what_people_decide_makes_the_package_anew(filed):
    before = contents(filed)
    (parcel,) = filed.rows(
        "SELECT subject FROM registry.current_entry WHERE register = 'low_efficiency' AND state = 'draft' ORDER BY entry_id LIMIT 1"
    )
    words = ["registry", "withdraw", parcel[0], "--reason", "已按规划实施"]
    with pytest.raises(SystemExit) as left:
        main(["--project", str(filed.folder / "lowland.toml"), *words])
    assert left.value.code == 0
    run_again(filed)
    changed = [path for path, content in contents(filed).items() if before[path] != content]
    assert any(path.suffix == ".dbf" for path in changed)


def test_a_delivery_that_changed_under_its_name_and_time_is_loaded(filed):
    path = filed.folder / "incoming" / "规资分局" / "控规用地.dbf"
    stat, content = path.stat(), path.read_bytes()
    # The last byte of the last record, of which the size and the time of the file say nothing.
    path.write_bytes(content[:-2] + (b"1" if content[-2:-1] != b"1" else b"2") + content[-1:])
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    reports, _ = run_again(filed)
    assert "(27 there already)" in reports["ingest"]
