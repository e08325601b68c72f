"""Write docs/explained.md: why one parcel of each kind of a sample district got its verdict, as `lowland classify explain` says it.

Type: python scripts/make_explained.py DEMO/lowland.toml, after `lowland demo DEMO --parcels 400`; then make docs.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console

from lowland_gis.cli.explanation import show_explanation
from lowland_gis.pipeline.base.project import Project, open_project
from lowland_gis.pipeline.intake.reading import Reading, reading
from lowland_gis.pipeline.products.frames import kind_titles
from lowland_gis.pipeline.verdicts.explain import explain
from lowland_gis.pipeline.verdicts.verdicts import kind_verdicts

TARGET = Path(__file__).resolve().parents[1] / "docs" / "explained.md"
WIDTH = 120
# Moments and numbers of runs differ from one machine to the next.
VOLATILE = re.compile(r"第 \d+ 次，\d{4}-\d{2}-\d{2} \d{2}:\d{2}")


def explained(project: Project) -> str:
    """Return the explanations of the first parcel of each kind, in the order of the rule pack."""
    with reading(project) as held:
        titles = kind_titles(held.basis.pack, held.project.legend)
        first = kind_verdicts(held.connection, held.basis).groupby("answer")["parcel_id"].min()
        parts = [
            f"### {title}\n\n```text\n{_said(held, str(first[answer]))}\n```\n"
            for answer, title in titles.items()
            if answer in first.index
        ]
    return "\n".join(parts)


def _said(held: Reading, parcel: str) -> str:
    out = Console(file=io.StringIO(), width=WIDTH, no_color=True)
    show_explanation(out, explain(held, parcel), everything=False)
    text = out.file.getvalue()  # type: ignore[attr-defined]
    lines = (line.rstrip() for line in VOLATILE.sub("第 N 次，YYYY-MM-DD HH:MM", text).splitlines())
    return "\n".join(lines).strip()


if __name__ == "__main__":
    TARGET.write_text(explained(open_project(Path(sys.argv[1]))), encoding="utf-8")
