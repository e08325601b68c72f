"""The command line as a whole: help, exit codes, messages instead of tracebacks."""

import importlib
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import click
import pytest

from lowland_gis.cli import COMMANDS
from lowland_gis.cli import lowland as group

DISTRICT = ("--code", "120113", "--name", "北辰区")
HEAVY = ("numpy", "pandas", "geopandas", "shapely", "sqlalchemy", "pydantic", "psycopg", "rich", "matplotlib")


def test_help_lists_every_command(lowland):
    done = lowland("--help")
    assert done.returncode == 0
    for name in COMMANDS:
        assert f"  {name}" in done.stdout


def test_help_imports_nothing_heavy():
    """What `lowland --help` loads decides how fast it answers."""
    code = (
        "import sys\nfrom lowland_gis.cli import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip() == "[]"


def test_output_that_finds_no_place_is_no_success():
    """Data that are still to be written when a command has done its work are not lost without a word."""
    code = "from lowland_gis import cli\ncli.main = lambda: print('area', end='')\ncli.program()"
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", code],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            env=os.environ | {"PYTHONUNBUFFERED": ""},
        )
    assert done.returncode == 3
    assert "Standard output cannot be written" in done.stderr


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_exists_and_its_line_of_help_is_its_own(name):
    command = getattr(importlib.import_module(f"lowland_gis.cli.{COMMANDS[name][0]}"), name)
    assert isinstance(command, click.Command)
    assert command.name == name
    assert command.help


def test_every_sub_command_has_help():
    context = click.Context(group)
    for name in COMMANDS:
        command = group.get_command(context, name)
        for sub in getattr(command, "commands", {}).values():
            assert sub.help, f"{name} {sub.name}"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["klassify"], "classify"),
        (["run"], "lowland init"),
        (["--project", "none.toml", "classify", "run"], "none.toml"),
        (["demo", "--parcels", "3"], "200"),
        (["demo", "--seed", "-1"], "--seed"),
        (["rules", "show", "no_such"], "example_beichen"),
        (["layers", "show", "dltb"], "dltb3"),
    ],
)
def test_a_wrong_call_says_what_to_type(lowland, arguments, said):
    done = lowland(*arguments)
    assert done.returncode in (2, 6)
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_exit_codes_of_definitions_and_databases(lowland, tmp_path):
    pack = tmp_path / "bad.toml"
    pack.write_text("name = 'x'", encoding="utf-8")
    done = lowland("rules", "check", pack)
    assert done.returncode == 6
    assert "fault(s), so nothing was run" in done.stderr
    assert "title: it is missing" in done.stderr
    assert lowland("init", "here", *DISTRICT).returncode == 0
    done = lowland("--project", "here/lowland.toml", "run", dsn=f"host={tmp_path} dbname=none")
    assert done.returncode == 4
    assert "cannot be reached" in done.stderr
    assert "Traceback" not in done.stderr


def test_init_makes_a_project_once(lowland, tmp_path):
    done = lowland("init", "试点", "--code", "120113", "--name", '示例"区', "--crs", "EPSG:4527")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "试点/lowland.toml").is_file()
    again = lowland("init", "试点")
    assert again.returncode == 2
    assert "left as it is" in again.stderr


@pytest.mark.parametrize(
    ("crs", "said"),
    [
        ("EPSG:32650", ["EPSG:4547 (114°E)", "EPSG:4548 (117°E)", "ogr2ogr -t_srs EPSG:4547"]),
        ("EPSG:2384", ["is not CGCS2000 (its datum is Xian 1980)", "EPSG:4548 (117°E)", "--datum FILE"]),
        ("EPSG:2154", ["from -9.86° to 10.38°E, where CGCS2000 has no plane"]),
    ],
)
def test_init_refuses_another_plane_and_names_those_that_fit_its_area(lowland, tmp_path, crs, said):
    done = lowland("init", "x", *DISTRICT, "--crs", crs)
    assert done.returncode == 2
    for words in said:
        assert words in done.stderr
    assert ("ogr2ogr" in done.stderr) == (crs == "EPSG:32650")
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("given", "missing"), [((), "--code"), (("--code", "120113"), "--name")])
def test_init_assumes_no_district(lowland, tmp_path, given, missing):
    done = lowland("init", "x", *given)
    assert done.returncode == 2
    assert f"{missing} is missing, and it is printed on maps" in done.stderr
    assert not (tmp_path / "x").exists()


def test_init_asks_for_the_district_on_a_terminal(tmp_path):
    ours, terminal = os.openpty()
    os.write(ours, "110105\n朝阳区\n".encode())
    line = [sys.executable, "-m", "lowland_gis", "init", str(tmp_path / "x")]
    done = subprocess.run(line, stdin=terminal, capture_output=True, text=True, timeout=60, check=False)
    os.close(terminal)
    os.close(ours)
    assert done.returncode == 0, done.stderr
    settings = (tmp_path / "x/lowland.toml").read_text(encoding="utf-8")
    assert 'district_code = "110105"' in settings
    assert 'district_name = "朝阳区"' in settings


def test_init_refuses_a_wrong_district_code_and_a_place_it_cannot_write(lowland, tmp_path):
    done = lowland("init", "x", "--name", "示例区", "--code", "12")
    assert done.returncode == 2
    assert "district_code" in done.stderr
    assert not (tmp_path / "x").exists()
    (tmp_path / "file").write_text("", encoding="utf-8")
    done = lowland("init", "file/x", *DISTRICT)
    assert done.returncode == 3
    assert "file/x" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_commands_that_init_proposes_can_be_typed_as_they_are(lowland, tmp_path):
    said = lowland("init", '试 "点', *DISTRICT).stdout
    line = next(line for line in said.splitlines() if line.endswith("db up"))
    assert shlex.split(line)[:3] == ["lowland", "--project", '试 "点/lowland.toml']


def test_a_fault_of_the_program_is_no_finding_and_no_traceback():
    """A command that fails in a way nobody foresaw, in a process of its own."""
    code = (
        "import sys, types, click\nfrom lowland_gis import cli\n"
        "@click.command()\ndef broken():\n    raise KeyError('lost')\n"
        "sys.modules['lowland_gis.cli.broken'] = types.SimpleNamespace(broken=broken)\n"
        "cli.COMMANDS['broken'] = ('broken', 'x')\ncli.main(sys.argv[1:])"
    )
    done = subprocess.run([sys.executable, "-c", code, "broken"], capture_output=True, text=True, check=False)
    assert done.returncode == 70
    assert "KeyError: 'lost'" in done.stderr
    assert "Traceback" not in done.stderr
    debug = [sys.executable, "-c", code, "--debug", "broken"]
    assert "Traceback" in subprocess.run(debug, capture_output=True, text=True, check=False).stderr


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ("[project\n", "not readable as TOML"),
        ("[project]\nname = 'x'\n", "[project], as_of: it is missing"),
        ("[project]\nname='x'\ndistrict_code='12'\ndistrict_name='x'\nas_of=2024-01-01\n", "district_code"),
        (
            "[project]\nname='x'\ndistrict_code='120113'\ndistrict_name='x'\nas_of=2024-01-01\ncrs='EPSG:2384'\n",
            "CGCS2000",
        ),
        (
            "[project]\nname='x'\ndistrict_code='120113'\ndistrict_name='x'\nas_of=2024-01-01\n[clasify]\n",
            "clasify",
        ),
        (
            "[project]\nname='x'\ndistrict_code='120113'\ndistrict_name='x'\nas_of=2024-01-01\n[delineate]\nmin_ha=9\nmax_ha=3\n",
            "min_ha",
        ),
    ],
)
def test_a_bad_project_file_is_said_in_words(lowland, tmp_path, broken, said):
    (tmp_path / "lowland.toml").write_text(broken, encoding="utf-8")
    done = lowland("run")
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_debug_shows_the_traceback(lowland):
    assert "Traceback" in lowland("--debug", "run").stderr


def test_json_is_json(lowland):
    rows = json.loads(lowland("rules", "list", "--json").stdout)
    assert rows[0]["pack"] == "example_beichen"


@pytest.mark.parametrize("locale", ["C", "POSIX"])
def test_chinese_survives_a_poor_locale(lowland, locale):
    done = lowland("rules", "list", LC_ALL=locale, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "example_beichen" in done.stdout


def test_a_closed_pipe_is_no_error():
    command = [sys.executable, "-m", "lowland_gis", "rules", "show"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait() == 0, said
    assert said == ""


@pytest.mark.parametrize(
    "arguments", [["rules", "show"], ["rules", "show", "--json"], ["rules", "test", "example_beichen", "--json"], ["--help"]]
)  # fmt: skip
def test_a_reader_that_leaves_early_is_no_error(arguments):
    """As `lowland … | head -1` does."""
    command = [sys.executable, "-m", "lowland_gis", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.readline()
        process.stdout.close()
        said = process.stderr.read().decode()
        assert process.wait() == 0, said
    assert said == ""


@pytest.mark.parametrize("arguments", [["rules", "show"], ["rules", "list", "--json"]])
def test_a_closed_output_is_said_and_no_success(arguments):
    command = [sys.executable, "-m", "lowland_gis", *arguments]
    done = subprocess.run(
        ["sh", "-c", '"$@" >&-', "sh", *command], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3
    assert done.stderr.startswith("Error: ")
    assert "cannot be" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_closed_output_takes_no_file_of_ours(lowland, tmp_path):
    """The next file that is opened would get the number of the closed stream, and what is printed into it."""
    command = [sys.executable, "-m", "lowland_gis", "init", str(tmp_path / "p"), *DISTRICT]
    done = subprocess.run(["sh", "-c", '"$@" >&- 2>&- <&-', "sh", *command], check=False)
    assert done.returncode in {0, 3}
    assert (
        (tmp_path / "p/lowland.toml")
        .read_text(encoding="utf-8")
        .startswith("# The settings of one lowland project")
    )
    assert "is made" not in (tmp_path / "p/lowland.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "arguments", [["ingest", "parcel", "x.gpkg", "--part", b"\xb1\xb1"], ["inspect", b"\xb5\xd8.gpkg"]]
)
def test_an_argument_in_gbk_is_refused_with_its_reading(tmp_path, arguments):
    command = [sys.executable, "-m", "lowland_gis", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 2
    assert "is not UTF-8 (read as GBK it is '" in done.stderr
    assert "北" in done.stderr or "地.gpkg" in done.stderr


def test_a_folder_in_gbk_is_refused_in_words(tmp_path):
    folder = os.fsencode(tmp_path) + b"/\xb5\xd8"
    os.mkdir(folder)  # noqa: PTH102 - no Path holds these bytes
    command = [sys.executable, "-m", "lowland_gis", "init", ".", *DISTRICT]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 3
    assert r"\xb5\xd8" in done.stderr
    assert len(done.stderr) < 500
