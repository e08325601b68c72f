"""Write the committed sample district (300 parcels, seed 1) into `sample_data/`."""

from __future__ import annotations

import sys
from pathlib import Path

from lowland_gis.sample import write_district

PARCELS, SEED = 300, 1
FOLDER = Path(__file__).resolve().parents[1] / "sample_data"


def main() -> int:
    """Write the files anew and say how many records there are."""
    delivery = write_district(
        FOLDER, parcels=PARCELS, seed=SEED, progress=lambda text: print(text, file=sys.stderr)
    )
    for name, count in delivery.counts.items():
        print(f"{name}\t{count}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
