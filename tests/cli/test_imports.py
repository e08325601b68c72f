"""What a command loads: help click alone, a command what it needs and nothing else."""

import json
import subprocess
import sys
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

BENCH = Path(__file__).parents[2] / "bench"

# One process asks for the help of every command in turn, and says after each what was loaded for it.
_HELP = """
import contextlib, io, json, sys

def libraries():
    return {name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)

before = libraries() | {"click", "lowland_gis"}
import click
from lowland_gis.cli import lowland

def paths(command, path):
    yield path
    if isinstance(command, click.Group):
        with click.Context(command) as context:
            for name in command.list_commands(context):
                yield from paths(command.get_command(context, name), [*path, name])

loaded = {}
for path in paths(lowland, []):
    said = io.StringIO()
    try:
        with contextlib.redirect_stdout(said):
            lowland.main([*path, "--help"], prog_name="lowland", standalone_mode=False)
    except SystemExit:
        pass
    now = libraries()
    loaded[" ".join(path)] = [sorted(now - before), said.getvalue()]
    before |= now
print(json.dumps(loaded))
"""


def run(program: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=120,
    )
    return done.stdout


def test_help_of_no_command_loads_a_library_beside_click() -> None:
    loaded = json.loads(run(_HELP))
    assert {"tabulate", "classify explain", "unit list", "registry problems"} <= loaded.keys()
    assert all(text.startswith("Usage: lowland") for _, text in loaded.values())
    assert {command: names for command, (names, _) in loaded.items() if names} == {}


# Runs one command and says which libraries were loaded, on a last line.
_COMMAND = """
import sys
from lowland_gis.cli import main
try:
    main(sys.argv[1:])
except SystemExit as leaving:
    assert not leaving.code, leaving.code
print()
print(*sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    """Return a parcel in two zones, as files."""
    parcel, zones = shapely.box(0, 0, 50, 60), [shapely.box(0, 0, 20, 60), shapely.box(20, 0, 50, 50)]
    frames = {
        "parcels": gpd.GeoDataFrame({"id": ["p"], "geometry": [parcel]}, crs=4548),
        "zones": gpd.GeoDataFrame({"code": ["a", "b"], "geometry": zones}, crs=4548),
    }
    for name, frame in frames.items():
        frame.set_geometry(frame.translate(500_000, 4_300_000)).to_parquet(tmp_path / f"{name}.parquet")
    return [str(tmp_path / f"{name}.parquet") for name in frames]


def loaded_by(*arguments: str) -> set[str]:
    return set(run(_COMMAND, *arguments).splitlines()[-1].split())


def test_a_tabulation_loads_readers_and_machine_code(files: list[str]) -> None:
    asked = ("tabulate", *files, "--id", "id", "--by", "code")
    # The first one may have to compile.
    loaded_by(*asked)
    # A Python of a distribution may have customisations of its own.
    ours = {"lowland_gis", "click", "numpy", "pyarrow", "shapely", "pyproj", "llvmlite"}
    theirs = {"certifi", "cloudpickle", "cython_runtime", "sitecustomize", "usercustomize"}
    loaded = {name for name in loaded_by(*asked) if not name.startswith("_")}
    assert loaded >= ours
    assert loaded - ours - theirs == set()


# Says what machine code there is in a process.
_CODE = """
import json, runpy, sys
from lowland_gis.analysis.compiled import Compiled, Entry

def code():
    ours = [module for name, module in sys.modules.items() if name.startswith("lowland_gis.")]
    functions = {each for module in ours for each in vars(module).values() if isinstance(each, Compiled)}
    found = {each.__name__: sorted(each._codes) for each in functions if isinstance(each, Entry)}
    # Of those that Numba calls, which arguments they were compiled for.
    made = {each for each in functions if not isinstance(each, Entry) and each._made is not None}
    return found | {each.__name__: sorted(map(str, each._made.signatures)) for each in made}
"""
# Compiles what an installation does, tabulates, and says what machine code there was before and after.
_INSTALLED = (
    _CODE
    + """
from lowland_gis.cli import main

runpy.run_module("lowland_gis.analysis.overlay", run_name="__main__")
before = code()
try:
    main(sys.argv[1:])
except SystemExit as leaving:
    assert not leaving.code, leaving.code
print()
print(json.dumps([before, code()]))
"""
)
# Likewise with a pack that is laid over the parcels of a district, and units that are drawn over them.
_DRAWN = (
    _CODE
    + """
import numpy as np, pandas as pd
from lowland_gis.analysis.units.draw import draw_units
import lowland_gis
sys.path.insert(0, sys.argv[1])
from unit_instances import generated

for wing in ("rules", "units"):
    runpy.run_module(f"lowland_gis.analysis.{wing}", run_name="__main__")
before = code()
lowland_gis.classify(pd.DataFrame({"vacant_share": [0.0, 1.0, np.nan]}), "example_general")
for each in (generated(90), generated(9)):
    draw_units(each.parcels, each.cells, each.limits, each.weights)
print(json.dumps([before, code()]))
"""
)


def test_an_installation_compiles_all_that_a_tabulation_calls(files: list[str], tmp_path: Path) -> None:
    """So that the first one is as fast as the second."""
    asked = ("tabulate", *files, "--id", "id", "--by", "code", "--cover", str(tmp_path / "cover.csv"))
    before, after = json.loads(run(_INSTALLED, *asked).splitlines()[-1])
    called = {name: kinds for name, kinds in after.items() if kinds}
    assert {"_fill", "_measure", "_sum", "covered_of"} <= called.keys()
    assert {name: before.get(name) for name in called} == called


def test_an_installation_compiles_all_that_a_draft_of_units_calls() -> None:
    """The first one would stand still for a minute without a word."""
    before, after = json.loads(run(_DRAWN, str(BENCH)).splitlines()[-1])
    called = {name: kinds for name, kinds in after.items() if kinds}
    assert {"_compare_one", "_leave_open", "best_move", "all_units", "best_partition"} <= called.keys()
    assert {name: before.get(name) for name in called} == called


# What only computing, drawing or files of GDAL need.
HEAVY = {
    "numba", "scipy", "highspy", "matplotlib", "pyogrio", "fiona", "rasterio", "exactextract", "openpyxl", "xlsxwriter", "alembic",
    "sqlalchemy", "geoalchemy2", "PIL",
}  # fmt: skip
# Imports what the body of a command imports, as it does when it is called.
_BODY = """
import ast, importlib, inspect, sys
module, function = sys.argv[1:]
command = getattr(importlib.import_module(f"lowland_gis.cli.{module}"), function)
body = ast.parse(inspect.getsource(command.callback))
names = [node.module for node in ast.walk(body) if isinstance(node, ast.ImportFrom)]
assert names
for name in names:
    importlib.import_module(name)
print(*sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
"""


@pytest.mark.parametrize(
    ("module", "function"),
    [
        ("classify", "explain"), ("classify", "todo"), ("unit", "list_drafts"), ("registry", "problems"), ("check", "show_rule"),
        ("rules", "show_pack"), ("rules", "list_packs"), ("measures", "list_measures"), ("layers", "list_layers"),
    ],
)  # fmt: skip
def test_a_command_that_shows_loads_nothing_that_computes(module: str, function: str) -> None:
    assert set(run(_BODY, module, function).split()) & HEAVY == set()


def test_reading_a_rule_pack_with_its_examples_loads_no_numba() -> None:
    loaded_by("rules", "show", "example_general")
    assert loaded_by("rules", "show", "example_general") & HEAVY == set()


# Runs a command where a library that it needs is not there, as after the program was renewed and its environment was not.
_WITHOUT = """
import sys
sys.modules[sys.argv[1]] = None
from lowland_gis.cli import main
main(sys.argv[2:])
"""


def test_a_library_that_is_not_installed_is_named_with_what_to_type(files: list[str]) -> None:
    command = [
        sys.executable,
        "-c",
        _WITHOUT,
        "pyarrow.parquet",
        "tabulate",
        *files,
        "--id",
        "id",
        "--by",
        "code",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "The Python package pyarrow is not installed" in done.stderr
    assert "make setup" in done.stderr
