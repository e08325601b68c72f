"""The example pack under answers of its own, as a district would call them."""

import re
from pathlib import Path

PACK = Path(__file__).parents[1] / "src/lowland_gis/definitions/rules/example_beichen.toml"


def own_pack(folder: Path, file: str = "own.toml") -> Path:
    """Write the example pack into a project with the answers works and fine for industrial and none, and name it there."""
    text = PACK.read_text(encoding="utf-8").replace('"example_beichen"', '"own_rules"')
    for before, after in (("industrial", "works"), ("none", "fine")):
        text = re.sub(rf"(?<![\w.]){before}(?![\w.])", after, text)
    path = folder / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    project = folder / "lowland.toml"
    said = project.read_text(encoding="utf-8")
    project.write_text(said.replace('# pack = "example_beichen"', f'pack = "{file}"'), encoding="utf-8")
    return path
