"""The tests stand as the house does: what holds a module is found in the folder of its name."""

from __future__ import annotations

import ast
from collections.abc import Collection
from graphlib import TopologicalSorter
from pathlib import Path

import lowland_gis

PACKAGE = Path(lowland_gis.__file__).parent
HERE = Path(__file__).parent


def test_every_folder_of_unit_tests_is_one_of_the_package():
    folders = {path.parent.relative_to(HERE) for path in HERE.rglob("test_*.py")}
    assert [folder for folder in sorted(folders) if not (PACKAGE / folder).is_dir()] == []


def test_every_wing_of_pure_functions_has_unit_tests():
    """`analysis` does no input or output, so nothing needs more than a unit test there."""
    wings = {path.parent.relative_to(PACKAGE) for path in (PACKAGE / "analysis").rglob("*.py")}
    held = {path.parent.relative_to(HERE) for path in HERE.rglob("test_*.py")}
    assert wings - held == set()


def loads(module: Path, files: Collection[str]) -> set[str]:
    """Return what a module imports of the package when it is loaded itself; `from package import module` asks for the module alone."""
    found: set[str] = set()
    for node in _at_once(ast.parse(module.read_text(encoding="utf-8")).body):
        if isinstance(node, ast.ImportFrom):
            paths = [f"{node.module}.{alias.name}" for alias in node.names]
            found |= {path if path in files else str(node.module) for path in paths}
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found & set(files)


def _at_once(body: list[ast.stmt]) -> list[ast.stmt]:
    """Return the statements that are run when a module is loaded, those of `if` and `try` too."""
    found = []
    for node in body:
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            found += _at_once(node.orelse)
        else:
            inner = [part for name in ("body", "orelse", "finalbody") for part in getattr(node, name, [])]
            found += [node, *([] if isinstance(node, ast.FunctionDef) else _at_once(inner))]
    return found


def test_modules_can_be_loaded_in_any_order():
    """No circle of imports: what a command finds does not hang on what was loaded before it (`own_process.py` rests on that)."""
    files = {
        ".".join(("lowland_gis", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(
            ".__init__"
        ): path
        for path in PACKAGE.rglob("*.py")
    }
    graph = {name: loads(path, files.keys()) - {name} for name, path in files.items()}
    assert len(list(TopologicalSorter(graph).static_order())) == len(files)


def test_no_module_is_reached_but_by_its_own_import():
    """`import a.b` also gives `a.c` to who did not import it, once somebody else has."""
    named = {
        (path.name, name)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for name in (alias.name for alias in node.names if alias.asname is None)
        if name.startswith("lowland_gis")
    }
    # It asks for the version; it only has a module read on while the rest is loaded.
    assert named == {("program.py", "lowland_gis"), ("ingest.py", "lowland_gis.files.read")}
