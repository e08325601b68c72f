"""How long the page of a large district takes in a browser: until it is drawn, to drag it, to zoom, to click.

    python bench/page.py [FILE.html] [--parcels 50000] [--rounds 3]

Without FILE a sample district of that size goes through all stages first, in a folder and a database of its own that are gone afterwards.
Chromium is without a window and without a graphics card; times are those of the page itself, the first from the start of the navigation.
The size of the page and the time that the command takes are printed too.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from project import reader, seconds

from lowland_gis.db.private import cluster as clusters

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from browser import Browser, browsing

# One step of a drag a frame: what is asked is how late each frame comes.
_DRAG = """(async () => {
  const frames = []; let before = performance.now();
  for (let n = 0; n < 60; n++) {
    lowland.map.panBy([6, 4], {animate: false, noMoveStart: true});
    await new Promise(requestAnimationFrame);
    const now = performance.now(); frames.push(now - before); before = now;
  }
  return frames;
})()"""
_HOLD = """(async () => {
  const pane = lowland.map.getPane('mapPane'), frames = []; let before = performance.now();
  for (let n = 0; n < 60; n++) {
    lowland.map._rawPanBy(L.point(4, 2));
    await new Promise(requestAnimationFrame);
    const now = performance.now(); frames.push(now - before); before = now;
  }
  return frames;
})()"""
_ZOOM = """(() => {
  const found = [], first = lowland.map.getZoom();
  for (const step of [1, 2, 3, 4, 3, 2, 1, 0]) {
    const begun = performance.now();
    lowland.map.setZoom(first + step, {animate: false});
    found.push(performance.now() - begun);
  }
  return found;
})()"""
_CLICK = """(() => { const begun = performance.now(); lowland.choose(Math.floor(lowland.data.parcels.codes.length / 2), true);
  return performance.now() - begun; })()"""
_LOADED = "performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd"


def main() -> None:
    """Measure and print."""
    parser = reader(__doc__)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--parcels", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="lowland-page-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        file = given.file or _made(folder, given.parcels)
        print(f"{file.name}: {file.stat().st_size / 1e6:.1f} MB")
        with browsing(folder / "profile") as browser:
            rounds = [_round(browser, file) for _ in range(given.rounds)]
    for what in rounds[0]:
        found = [one[what] for one in rounds]
        print(f"{what:42} {median(found):8.0f} ms   ({', '.join(f'{each:.0f}' for each in found)})")


def _round(browser: Browser, file: Path) -> dict[str, float]:
    browser.open("about:blank", "true")
    browser.open(file.resolve().as_uri())
    found: dict[str, Any] = {
        "opened and drawn, from the navigation": browser.run(_LOADED),
        "of that, reading and drawing the data": browser.run("lowland.ready"),
        "drawing all once more": browser.run("lowland.drawing.draw(), lowland.drawn"),
    }
    held, frames, zoomed = browser.run(_HOLD), browser.run(_DRAG), browser.run(_ZOOM)
    found |= {
        "a frame while the mouse drags, median": median(held),
        "a frame while the mouse drags, slowest": max(held),
        "drawing where a drag ends, median": median(frames),
        "drawing where a drag ends, slowest": max(frames),
        "a step of zoom, median": median(zoomed),
        "a step of zoom, slowest": max(zoomed),
        "a click, with its clauses": browser.run(_CLICK),
    }
    return found


def _made(folder: Path, parcels: int) -> Path:
    """Run a sample district through all stages and return its page."""
    lowland = [sys.executable, "-m", "lowland_gis"]
    environment = os.environ | {"LOWLAND_STATE": str(folder / "state")}
    (folder / "state").mkdir(mode=0o755)
    project, page = folder / "demo", folder / "page.html"
    steps = [
        [*lowland, "demo", str(project), "--parcels", str(parcels)],
        [*lowland, "--project", str(project / "lowland.toml"), "map", "page", str(page)],
    ]
    try:
        for step in steps:
            took = seconds(partial(subprocess.run, step, env=environment, check=True, capture_output=True))
        print(f"lowland map page of {parcels:,} parcels: {took:.1f} s")
    finally:
        clusters.remove(clusters.locate(project, env=environment))
    return page


if __name__ == "__main__":
    main()
