"""`lowland demo` at every size and seed: exit code, agreement with the planted truth, differences without a reason, seconds.

    python bench/demo.py [--sizes 200,400,1000] [--seeds 1-10] [--folder DIR] [--out bench/results/demo.csv] [--keep]

Each district is a process of its own in a folder and a database of its own, which are gone afterwards. A row is written as
soon as it is there, and takes the place of an earlier one of the same size and seed. Exit code 1: a row is not as it should be.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass, fields
from pathlib import Path

SIZES = "200,400,1000,3000,8000,20000,50000"
RESULTS = Path(__file__).parent / "results" / "demo.csv"
LEAST_AGREEMENT = 99.0
AGREEMENT = re.compile(r"Agreement with the planted truth: ([\d.]+)%")
UNITS = re.compile(r"([\d,]+) units, value")
APART = re.compile(r"([\d,]+) pairs of parcels share ground")
# How the reason of a difference begins that names neither a planted fault, nor a doubt, nor a record that was set aside.
NO_REASON = ("decided by", "no verdict")


@dataclass(frozen=True)
class Row:
    """One district; `unexplained` counts differences without a reason, `apart` pairs of parcels that units leave out."""

    parcels: int
    seed: int
    exit: int
    agreement: float
    differences: int
    unexplained: int
    units: int
    apart: int
    seconds: float
    said: str

    @property
    def good(self) -> bool:
        """Tell whether the demo ended as it should."""
        return self.exit == 0 and self.agreement >= LEAST_AGREEMENT and self.unexplained == 0


def main() -> int:
    """Run the districts and print one line each."""
    arguments = _arguments()
    rows = _earlier(arguments.out)
    for parcels in numbers(arguments.sizes):
        for seed in numbers(arguments.seeds):
            row = demo(parcels, seed, arguments.folder, keep=arguments.keep)
            rows[parcels, seed] = row
            _write(arguments.out, rows)
            print(_line(row), flush=True)
    asked = [
        rows[key] for key in rows if key[0] in numbers(arguments.sizes) and key[1] in numbers(arguments.seeds)
    ]
    bad = [row for row in asked if not row.good]
    print(f"{len(asked)} districts, {len(bad)} not as they should be; {arguments.out}")
    return 1 if bad else 0


def numbers(text: str) -> list[int]:
    """Return the numbers of a text such as 200,400 or 1-10.

    >>> numbers("1-3,7")
    [1, 2, 3, 7]
    """
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def demo(parcels: int, seed: int, below: Path | None, *, keep: bool) -> Row:
    """Run one district and read what came of it."""
    folder = Path(tempfile.mkdtemp(prefix=f"demo-{parcels}-{seed}-", dir=below))
    folder.chmod(0o755)
    project = folder / "demo"
    started = time.perf_counter()
    # The private databases of all projects lie in one place of the machine; this one goes with its folder.
    state = {**os.environ, "LOWLAND_STATE": str(folder / "state")}
    done = _lowland(state, "demo", str(project), "--parcels", str(parcels), "--seed", str(seed))
    seconds = time.perf_counter() - started
    try:
        return _read(project, parcels, seed, done, seconds)
    finally:
        _lowland(state, "--project", str(project / "lowland.toml"), "db", "down")
        if not keep:
            shutil.rmtree(folder, ignore_errors=True)


def _lowland(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "lowland_gis", *words],
        env=environment,
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


def _read(
    project: Path, parcels: int, seed: int, done: subprocess.CompletedProcess[str], seconds: float
) -> Row:
    agreement = AGREEMENT.search(done.stdout)
    file = project / "differences.csv"
    listed = list(csv.DictReader(file.open(encoding="utf-8-sig"))) if file.is_file() else []
    unexplained = sum(row["reason"].startswith(NO_REASON) for row in listed)
    last = done.stderr.strip().splitlines()[-1:] if done.returncode else []
    counts = [UNITS.search(done.stderr), APART.search(done.stderr)]
    units, apart = (int(found[1].replace(",", "")) if found else 0 for found in counts)
    share = float(agreement[1]) if agreement else 0.0
    return Row(
        parcels,
        seed,
        done.returncode,
        share,
        len(listed),
        unexplained,
        units,
        apart,
        round(seconds, 1),
        " ".join(last),
    )


def _line(row: Row) -> str:
    mark = "" if row.good else "  ← not as it should be"
    return (
        f"{row.parcels:>6,} parcels  seed {row.seed:>2}  exit {row.exit}  {row.agreement:6.2f} %  {row.differences:>3} differ,"
        f" {row.unexplained} unexplained  {row.units:>4} units  {row.apart} pairs apart  {row.seconds:6.1f} s{mark} {row.said}"
    )


def _earlier(path: Path) -> dict[tuple[int, int], Row]:
    if not path.is_file():
        return {}
    kinds = {field.name: {"int": int, "float": float}.get(str(field.type), str) for field in fields(Row)}
    with path.open(encoding="utf-8", newline="") as file:
        rows = [
            Row(**{name: kinds[name](value) for name, value in row.items()}) for row in csv.DictReader(file)
        ]
    return {(row.parcels, row.seed): row for row in rows}


def _write(path: Path, rows: dict[tuple[int, int], Row]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Row)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(asdict(rows[key]) for key in sorted(rows))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sizes", default=SIZES, help="sizes, such as 200,400")
    parser.add_argument("--seeds", default="1-10", help="seeds, such as 1-10 or 1,4")
    parser.add_argument(
        "--folder", type=Path, help="where the districts are drawn; else the temporary folder"
    )
    parser.add_argument("--out", type=Path, default=RESULTS, help="table that is written")
    parser.add_argument("--keep", action="store_true", help="keep the folders, with their databases stopped")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
