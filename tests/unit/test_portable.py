"""Every module but the private cluster can be imported where the modules of POSIX are not there, as on Windows."""

import subprocess
import sys
from pathlib import Path

import lowland_gis

HOME = Path(lowland_gis.__file__).parent
POSIX = ("fcntl", "grp", "pwd", "resource", "syslog", "termios", "tty")
# Only our own imports are refused: other libraries look at the platform, which is still that of POSIX here.
_PROGRAM = """
import builtins, importlib, sys
own = [name for name in sys.argv[1].split()]
blocked = set(sys.argv[2].split())

plain = builtins.__import__
def guarded(name, globals=None, *rest, **more):
    if name in blocked and (globals or {}).get("__name__", "").startswith("lowland_gis"):
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)
    return plain(name, globals, *rest, **more)
builtins.__import__ = guarded

failed = {}
for name in own:
    try:
        importlib.import_module(name)
    except ImportError as error:
        failed[name] = str(error)
print(failed)
"""


def modules() -> list[str]:
    files = (file.relative_to(HOME.parent).with_suffix("") for file in HOME.rglob("*.py"))
    names = (".".join(file.parts).removesuffix(".__init__") for file in files)
    return sorted(name for name in names if not name.endswith("__main__"))


def imported_without_posix(names: list[str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, " ".join(names), " ".join(POSIX)],
        capture_output=True,
        encoding="utf-8",
        check=True,
        timeout=300,
    )
    return done.stdout.strip()


def test_every_module_but_the_private_cluster_needs_no_posix() -> None:
    names = [name for name in modules() if not name.startswith("lowland_gis.db.private.")]
    assert "lowland_gis.pipeline.base.project" in names
    assert imported_without_posix(names) == "{}"


def test_the_private_cluster_would_be_seen() -> None:
    assert "No module named 'fcntl'" in imported_without_posix(["lowland_gis.db.private.cluster"])


def test_without_a_private_cluster_a_server_is_asked_for() -> None:
    asked = """
from pathlib import Path
from lowland_gis.db.place import connect_string
assert connect_string(Path(), "host=h") == "host=h"
connect_string(Path(), None)
"""
    guard = _PROGRAM.partition("failed = {}")[0]
    done = subprocess.run(
        [sys.executable, "-c", guard + asked, "", " ".join(POSIX)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=60,
    )
    assert "DatabaseError: lowland keeps no database of a project on this system" in done.stderr
    assert "LOWLAND_DSN=" in done.stderr
