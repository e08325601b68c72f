"""A plain native program over Boost.Geometry, built when it is first asked for: what a good C++ engineer has after a day.

It needs g++ and Boost's headers (`apt-get install g++ libboost-dev`); Arrow and Parquet are the libraries that pyarrow brings.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa

SOURCE = Path(__file__).parent / "native" / "overlay.cpp"


def run(how: str) -> None:
    """Run the program over the files of the command line in place of this process's own work, and print its figures."""
    parcels, zones, output = sys.argv[1:4]
    done = subprocess.run(
        [built(), parcels, zones, output, how], stdout=subprocess.PIPE, text=True, check=True
    )
    print(json.dumps({"peer": Path(sys.argv[0]).stem} | json.loads(done.stdout)))


def built() -> str:
    """Return the program; it is compiled where the source or pyarrow is another one than the last time."""
    home = Path(os.environ.get("LOWLAND_BENCH_HOME", Path(__file__).parents[1])) / "data"
    state = hashlib.sha256(
        SOURCE.read_bytes() + Path(__file__).read_bytes() + pa.__version__.encode()
    ).hexdigest()[:16]
    program = home / f"overlay-{state}"
    if not program.exists():
        home.mkdir(parents=True, exist_ok=True)
        library = Path(pa.get_library_dirs()[0])
        names = [min(library.glob(f"lib{name}.so.*")).name for name in ("arrow", "parquet")]
        half = program.with_suffix(".partial")
        command = [
            "g++",
            "-std=c++20",
            "-O3",
            "-DNDEBUG",
            # Without it Boost moves all to a grid of whole numbers first: slower, and off by up to 1e-3 m² here.
            "-DBOOST_GEOMETRY_NO_ROBUSTNESS",
            f"-I{pa.get_include()}",
            str(SOURCE),
            "-o",
            str(half),
        ]
        subprocess.run(
            [*command, f"-L{library}", *(f"-l:{name}" for name in names), f"-Wl,-rpath,{library}"], check=True
        )
        half.replace(program)
    return str(program)
