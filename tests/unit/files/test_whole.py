"""A file appears whole or not at all, where its name leads, and never in place of somebody's file."""

import os
import stat

import pytest

from full_disk import full_disk
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.outputs import LIST, Outputs, same_file
from lowland_gis.files.whole import whole, write_text


def test_it_takes_its_name_at_the_end(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("before")
    with whole(target) as partial:
        partial.write_text("after")
        (tmp_path / f"{partial.name}-journal").write_text("of a database")
        assert (partial.suffix, target.read_text()) == (".csv", "before")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "after")]


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path):
    target = tmp_path / "a.csv"
    target.write_text("before")
    with pytest.raises(ValueError, match="fault"), whole(target) as partial:
        partial.write_text("half")
        raise ValueError("fault")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("a.csv", "before")]


def test_a_full_disk_keeps_the_old_text(tmp_path):
    target = tmp_path / "lowland.toml"
    target.write_text("before")
    with full_disk(3), pytest.raises(InputRefusedError, match="cannot be written .*too large"):
        write_text(target, "a longer text")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("lowland.toml", "before")]


@pytest.mark.parametrize("there", [True, False])
def test_a_link_is_written_through(tmp_path, there):
    real, link = tmp_path / "far" / "real.csv", tmp_path / "link.csv"
    real.parent.mkdir()
    if there:
        real.write_text("before")
    (tmp_path / "half").symlink_to("far/real.csv")
    link.symlink_to("half")
    write_text(link, "after")
    assert link.is_symlink()
    assert real.read_text() == "after"
    assert list(real.parent.iterdir()) == [real]


def test_links_in_a_circle_folders_and_devices_are_refused(tmp_path):
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(InputRefusedError, match="circle"):
        write_text(tmp_path / "a", "")
    with pytest.raises(UsageError, match="is a folder"):
        write_text(tmp_path, "")
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="no ordinary file"):
        write_text(tmp_path / "pipe", "")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


@pytest.mark.parametrize("before", [None, "before"])
def test_what_somebody_wrote_meanwhile_is_kept(tmp_path, before):
    target = tmp_path / "a.csv"
    if before:
        target.write_text(before)
    with pytest.raises(UsageError, match="meanwhile"), whole(target) as partial:
        partial.write_text("ours")
        target.write_text("theirs")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["theirs"]


def test_rights_are_those_of_the_file_before_or_what_the_account_wants(tmp_path):
    old = os.umask(0o027)
    try:
        write_text(tmp_path / "new", "")
        write_text(tmp_path / "secret", "", mode=0o600)
        (tmp_path / "old").write_text("")
        (tmp_path / "old").chmod(0o664)
        write_text(tmp_path / "old", "x")
    finally:
        os.umask(old)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"new": 0o640, "secret": 0o600, "old": 0o664}


def wrote(outputs, target, text, **options):
    with outputs.writing(target, **options):
        write_text(target, text)


def test_a_file_is_ours_while_it_is_as_it_was_written(tmp_path):
    outputs, target = Outputs(tmp_path), tmp_path / "a.csv"
    wrote(outputs, target, "one")
    wrote(outputs, target, "two")
    target.write_text("two, edited")
    with pytest.raises(UsageError, match="--overwrite"):
        wrote(outputs, target, "three")
    assert target.read_text() == "two, edited"
    wrote(outputs, target, "three", overwrite=True)
    assert target.read_text() == "three"
    assert len((tmp_path / LIST).read_text().splitlines()) == 3


def test_without_a_project_every_file_is_somebodys(tmp_path):
    wrote(Outputs(), tmp_path / "a.csv", "one")
    with pytest.raises(UsageError, match="--overwrite"):
        wrote(Outputs(), tmp_path / "a.csv", "two")
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_the_list_is_one_that_sha256sum_checks(tmp_path):
    (tmp_path / "out").mkdir()
    wrote(Outputs(tmp_path), tmp_path / "out" / "表.csv", "text")
    digest, name = (tmp_path / LIST).read_text(encoding="utf-8").split()
    assert (digest, name) == (
        "982d9e3eb996f559e633f4d194def3761d909f5a3b647d1a851fead67c32c9d1",
        "out/表.csv",
    )


def names_of(source, folder):
    """The names under which people meet one file: itself, through ./, a link, a hard link."""
    link, hard = folder / f"link{source.suffix}", folder / f"hard{source.suffix}"
    link.symlink_to(source)
    os.link(source, hard)
    return source, source.parent / "." / ".." / source.parent.name / source.name, link, hard


@pytest.mark.parametrize("number", range(4))
def test_an_input_is_never_written_under_any_of_its_names(tmp_path, number):
    source = tmp_path / "in" / "a.shp"
    source.parent.mkdir()
    for suffix in (".shp", ".dbf"):
        source.with_suffix(suffix).write_text(suffix)
    for part in (source, source.with_suffix(".dbf")):
        (tmp_path / part.suffix).mkdir()
        target = names_of(part, tmp_path / part.suffix)[number]
        with pytest.raises(UsageError, match="same file"):
            wrote(Outputs(tmp_path), target, "", overwrite=True, inputs=[source])
        with pytest.raises(UsageError, match="never replaced"):
            wrote(Outputs(tmp_path, lambda: [source]), target, "", overwrite=True)
        assert part.read_text() == part.suffix


def test_a_folder_that_is_read_is_not_written_into(tmp_path):
    table = tmp_path / "a.gdb" / "a1.gdbtable"
    table.parent.mkdir()
    table.write_text("x")
    os.link(table, tmp_path / "hard.csv")
    for target in (table, tmp_path / "hard.csv"):
        with pytest.raises(UsageError, match="same file"):
            wrote(Outputs(), target, "", overwrite=True, inputs=[table.parent])


def test_two_names_of_a_file_that_is_not_there_yet(tmp_path):
    (tmp_path / "link.csv").symlink_to("a.csv")
    assert same_file(tmp_path / "a.csv", tmp_path / "link.csv")
    assert not same_file(tmp_path / "a.csv", tmp_path / "b.csv")
