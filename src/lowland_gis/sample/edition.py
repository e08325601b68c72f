"""The second edition of the example pack: one number is another one, with its document and day."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

SHIPPED = "example_beichen"
EDITION = "rules/example_beichen_2025.toml"
DAY = "2024-12-01"
DOCUMENT = "示例：北辰区低效工业用地指标值（2024年修订），虚构文件"
_PARAMETER = re.compile(
    r'(\[\[parameter\]\]\nname = "output_min"\nvalue = )[\d.]+(\nunit = "[^"]*"\ndocument = )"[^"]*"(\nin_force = )[\d-]+'
)


def write_edition(folder: Path, output_min: int) -> None:
    """Write the pack with another least output (亩均产出, 万元/亩) below `folder`.

    Raises:
        ValueError: the shipped pack has no such parameter.
    """
    text = (files("lowland_gis") / f"definitions/rules/{SHIPPED}.toml").read_text(encoding="utf-8")
    text, count = _PARAMETER.subn(rf'\g<1>{output_min}\g<2>"{DOCUMENT}"\g<3>{DAY}', text)
    if count != 1:
        raise ValueError(
            f"{SHIPPED}: the parameter output_min stands there {count} times in the form that is known here"
        )
    text = text.replace(f'name = "{SHIPPED}"', f'name = "{SHIPPED}_2025"', 1)
    text = text.replace("认定规则（示例）", "认定规则（示例，2025年版）", 1)
    path = folder / EDITION
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="\n")
