"""The database that an earlier build left behind."""

from __future__ import annotations

import lzma
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from registered import owned

KEPT = Path(__file__).parent / "earlier_build"
CLASSIFIED = 3
VERDICTS = "SELECT question, parcel_id, answer, settled, rule, candidate FROM result.verdict WHERE run_id = %s ORDER BY 1, 2"


def restore(place: Any) -> None:
    """Give the dump to psql, as a person would."""
    dump = lzma.decompress((place.folder / "demo.sql.xz").read_bytes())
    # The extension and its table belong to the superuser, who put them into the new database.
    dump = re.sub(rb"COPY public\.spatial_ref_sys .*\n\\\.\n", b"", dump)
    statements = b"".join(line for line in dump.splitlines(keepends=True) if b" EXTENSION " not in line)
    done = subprocess.run(
        [sys.executable, "-m", "lowland_gis", "--project", str(place.folder / "lowland.toml"), "db", "psql"],
        input=b"\\set ON_ERROR_STOP on\n" + statements,
        env=os.environ | {"LOWLAND_DSN": owned(place.dsn)},
        capture_output=True,
        check=False,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr.decode()
