"""No command writes over a file of people, whatever the output is called; a full disk leaves what was there.

The list of commands is walked, so a command that is added is in it by itself.
"""

import hashlib
import os
import shutil
from pathlib import Path

import click
import geopandas as gpd
import psycopg
import pytest
import shapely

from field_table import field_table
from full_disk import full_disk
from lowland_gis.cli import lowland, main
from lowland_gis.cli.outputs import InputPath, OutputPath
from packages import make

SUFFIXES = (".csv", ".parquet", ".gpkg", ".xlsx", ".png", ".pdf", ".zip", ".toml", ".html", ".docx", "")
# What stands for a required argument, by its name; a new command with another one is to be given an example here.
PAPER = b"%PDF-1.4 of the tests"
EXAMPLES = {
    "parcels": "parcels.parquet",
    "zones": "zones.gpkg",
    "source": "incoming/不动产登记中心/宗地.shp",
    "layer": "parcel",
    "unit_id": None,
    "year": 2026,
    "table": "字段表.xlsx",
    "target": "成果",
    "month": "2024-05",
    "which": "midterm",
    "case": None,
    "sha256": hashlib.sha256(PAPER).hexdigest(),
}
# They make a folder, or a file that is there is never replaced by them.
WITHOUT_OVERWRITE = {"init", "demo", "inspect", "run"}
# They write of an update that is open, and none is: what they do to files of people stands in database/test_update.py.
OF_AN_UPDATE = {"update diff", "update close"}
# It takes two bases and an increment, which the demo of one year has not: see cli/test_increment_files.py.
OF_AN_UPDATE |= {"update increment"}
# They go through the same lines of code as `report bulletin`.
AS_BULLETIN = {"report midyear", "report annual", "report evaluation"}
MORE = {
    "map sheets": ["--of", "towns", "--most", "1"],
    "unit changes": ["--from", "latest"],
    "check run": ["--mark"],
    "inspect": ["--layer", "parcel"],
    "init": ["--code", "120113", "--name", "北辰区"],
    "demo": ["--parcels", "201"],
    # Only a run on Spark writes to a folder; the demo names no layers for one, so Spark is not started.
    "run": ["--engine", "sedona"],
}


def commands(group, above=()):
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        if isinstance(command, click.Group):
            yield from commands(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


COMMANDS = dict(commands(lowland))
OUTPUTS = [
    (name, parameter.name)
    for name, command in COMMANDS.items()
    for parameter in command.params
    if isinstance(parameter.type, OutputPath) and name not in OF_AN_UPDATE | AS_BULLETIN
]


def parameter(name, output):
    return next(each for each in COMMANDS[name].params if each.name == output)


def test_every_path_is_said_to_be_read_or_written():
    for name, command in COMMANDS.items():
        for each in command.params:
            where = f"{name} {each.name}"
            if isinstance(each.type, click.Path | click.File):
                assert isinstance(each.type, InputPath | OutputPath), where
            if {"-o", "--output", "--out"} & set(each.opts):
                assert isinstance(each.type, OutputPath), where
    assert len(OUTPUTS) >= 10


def test_every_output_can_be_replaced_when_that_is_typed():
    have = (
        {
            name
            for name, command in COMMANDS.items()
            if any(each.name == "overwrite" for each in command.params)
        }
        - OF_AN_UPDATE
        - AS_BULLETIN
    )
    assert {name for name, _ in OUTPUTS} == have | WITHOUT_OVERWRITE


def said(*arguments):
    """Run the command line in this process and return its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(each) for each in arguments])
    return left.value.code


def digests(*folders):
    """What people have in some folders: every file by its path, and where links lead."""
    return {
        path: str(path.readlink()) if path.is_symlink() else hashlib.sha256(path.read_bytes()).hexdigest()
        for folder in folders
        for path in sorted(folder.rglob("*"))
        if (path.is_symlink() or path.is_file()) and ".lowland" not in path.parts
    }


@pytest.fixture
def place(demo, tmp_path, monkeypatch):
    """A copy of the demo's project with files of people in it, as the current folder."""
    folder = tmp_path / "项目"
    shutil.copytree(demo.folder, folder, ignore=shutil.ignore_patterns("out"))
    monkeypatch.setenv("LOWLAND_DSN", demo.dsn)
    monkeypatch.chdir(folder)
    squares = [shapely.box(x, 4_340_000, x + 50, 4_340_050) for x in (500_000, 500_050)]
    frame = gpd.GeoDataFrame({"code": ["a", "b"]}, geometry=squares, crs=4548)
    frame.to_parquet("parcels.parquet")
    frame.to_file("zones.gpkg", engine="pyogrio")
    field_table(Path("字段表.xlsx"))
    Path("notes.csv").write_text("by hand\n", encoding="utf-8")
    return folder


@pytest.fixture
def arguments_of(demo):
    """Return how a command is called with its output at a place."""
    (unit,) = demo.rows("SELECT unit_id FROM result.unit ORDER BY run_id, unit_id LIMIT 1")
    with psycopg.connect(demo.dsn) as connection:
        connection.execute(
            "INSERT INTO registry.paper (sha256, has_file, file_name, size_bytes, content) SELECT %(sha256)s, true, '意见书.pdf', %(size)s, %(content)b"
            " WHERE NOT EXISTS (SELECT FROM registry.paper WHERE sha256 = %(sha256)s)",
            {"sha256": EXAMPLES["sha256"], "size": len(PAPER), "content": PAPER},
        )

    def arguments(name, output, target, *more):
        given = []
        if name == "package check" and not Path(EXAMPLES["target"]).exists():
            make(Path(EXAMPLES["target"]), None, "shapefile")
        for each in COMMANDS[name].params:
            if each.name == output:
                given += [target] if isinstance(each, click.Argument) else [each.opts[0], target]
            elif isinstance(each, click.Argument) and each.required:
                given.append(EXAMPLES[each.name] or unit[0])
        return [*name.split(), *map(str, given), *MORE.get(name, []), *more]

    return arguments


def fresh_suffix(name, output, folder, arguments_of):
    """Return the first suffix under which a command writes, having seen it write."""
    for suffix in SUFFIXES:
        target = folder / f"fresh-{output}{suffix}"
        if said(*arguments_of(name, output, target)) in (0, 1) and target.exists():
            return suffix
    raise AssertionError(f"{name} {output} writes under no suffix")


def names_of(file, suffix, folder):
    """The names under which one file is met: itself, through ./, a link, a hard link."""
    folder.mkdir()
    link, hard = folder / f"link{suffix}", folder / f"hard{suffix}"
    link.symlink_to(file)
    if file.is_file():
        os.link(file, hard)
    dotted = [f"./{os.path.relpath(file)}", file.parent / "." / ".." / file.parent.name / file.name]
    return [file, *dotted, link, *([hard] if file.is_file() else [])]


@pytest.mark.parametrize(("name", "output"), OUTPUTS, ids=[" ".join(each) for each in OUTPUTS])
def test_no_file_of_people_is_written_over(place, tmp_path, arguments_of, capsys, name, output):
    folders = not parameter(name, output).type.file_okay
    suffix = "" if folders else fresh_suffix(name, output, tmp_path, arguments_of)
    inputs = [place / "parcels.parquet", place / "zones.gpkg"]
    kept = [
        place / "lowland.toml",
        next(place.glob("incoming/*/*.shp")),
        next(place.glob("incoming/*/*.dbf")),
    ]
    targets = [place, place / "incoming", next(place.glob("incoming/*"))] if folders else [*inputs, *kept, place / "notes.csv"]  # fmt: skip
    before = digests(place)
    for number, file in enumerate(targets):
        for target in names_of(file, suffix, tmp_path / f"names{number}"):
            more = [[]]
            if name not in WITHOUT_OVERWRITE and (file in kept or (file in inputs and name == "tabulate")):
                more.append(["--overwrite"])
            for options in more:
                links = digests(tmp_path / f"names{number}")
                code = said(*arguments_of(name, output, target, *options))
                # A folder that holds no project may become one, and what is in it stays.
                assert folders or code in (2, 3), (code, target, options, capsys.readouterr().err)
                after = digests(place)
                assert {path: after.get(path) for path in before} == before, (target, options)
                assert digests(tmp_path / f"names{number}") == links, (target, options)


FILES = [(name, output) for name, output in OUTPUTS if parameter(name, output).type.file_okay]


@pytest.mark.parametrize(("name", "output"), FILES, ids=[" ".join(each) for each in FILES])
def test_a_full_disk_is_said_and_leaves_nothing(place, tmp_path, arguments_of, capsys, name, output):
    suffix = fresh_suffix(name, output, tmp_path, arguments_of)
    (tmp_path / "full").mkdir()
    target = tmp_path / "full" / f"out{suffix}"
    capsys.readouterr()
    with full_disk(20):
        code = said(*arguments_of(name, output, target))
    assert (code, f"{target}: cannot be written" in capsys.readouterr().err) == (3, True)
    assert list((tmp_path / "full").iterdir()) == []
