"""A small district in two years, drawn by hand: what became of every parcel is known, and some of them were filed in the first year."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json

import geopandas as gpd
import pandas as pd
import psycopg
import shapely
from click.testing import CliRunner

from lowland_gis.cli import lowland
from lowland_gis.errors import LowlandError
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.registry.determine import determine
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box

EAST, WEST = "120113100", "120113101"
STATES = '[low_efficiency.move.approve]\ndays = 1\nbasis = "试验，2023-01-01"\n'
PACK = """
name = "two_years"
title = "两年试验"
document = "试验"
in_force = 2023-01-01
example = true

[[parameter]]
name = "far_min"
value = {far_min}
unit = "ratio"
document = "试验"
in_force = 2023-01-01
example = true

[[question]]
name = "kind"
title = "类型"
otherwise = "none"
answers = {{ industrial = "低效工业用地", none = "非低效用地" }}
means = {{ low = ["industrial"], not = ["none"] }}

[[question.rule]]
name = "sparse"
title = "容积率低"
answer = "industrial"
article = "试验第一条"
all = [ {{ measure = "registered_far", op = "<", limit = "far_min", title = "容积率低于下限", needed = "登记", office = "区" }} ]
[[question.rule.example]]
given = {{ registered_far = 0.1 }}
gives = "true"
"""


def code(number: int) -> str:
    """The code of a parcel."""
    return f"120113100001GB000{number:02}"


def today() -> dt.date:
    """The day by the clock of this place, as the registry takes it."""
    return dt.datetime.now().astimezone().date()


def cell(number: int) -> shapely.Polygon:
    """One of twenty squares of a hectare, five in a row, that touch in pairs."""
    row, column = divmod(number - 1, 5)
    return box(column * 100, row * 100)


def moved(shape: shapely.Polygon, corner: tuple[float, float], by: tuple[float, float]) -> shapely.Polygon:
    """The shape with one corner a little off."""
    at = shapely.get_coordinates(shape)
    hit = (abs(at - shapely.get_coordinates(box(*corner, 1, 1)).min(axis=0)) < 1e-6).all(axis=1)
    assert hit.any()
    at[hit] += by
    return shapely.Polygon(at)


@dataclasses.dataclass
class Parcel:
    """A parcel as the register gives it."""

    shape: shapely.Polygon
    far: float = 1.0
    use: str = "0601"


FIRST = {
    code(n): Parcel(cell(n), far=0.3 if n in (2, 12, 13, 17) else 0.6 if n == 11 else 1.0)
    for n in range(1, 19)
    if n != 8
}
# Corner (300, 100) is one of the cells 3, 4, 8 and 9; corner (500, 200) is one of 10 and 15 alone.
DRIFT = {10: (0.2, 0.25), 15: (0.2, 0.25)}


def second() -> dict[str, Parcel]:
    """The same a year later."""
    rows = {name: dataclasses.replace(parcel) for name, parcel in FIRST.items()}
    for number, by in DRIFT.items():
        rows[code(number)].shape = moved(cell(number), (500, 200), by)
    del rows[code(2)]
    rows |= {code(21): Parcel(box(100, 0, 60, 100), far=0.3), code(22): Parcel(box(160, 0, 40, 100), far=0.3)}
    del rows[code(3)], rows[code(4)]
    rows[code(34)] = Parcel(box(200, 0, 200, 100))
    del rows[code(7)], rows[code(17)]
    rows[code(8)] = Parcel(cell(8))
    rows[code(9)].use = "0501"
    rows[code(1)].far = 0.4
    del rows[code(14)]
    rows[code(41)] = Parcel(cell(14))
    del rows[code(5)], rows[code(6)]
    rows |= {code(51): Parcel(cell(5)), code(61): Parcel(cell(6))}
    return rows


# kind, old, new, cause: all that is to be found.
TRUTH = {
    ("split", (2,), (21, 22), "subdivided"),
    ("merged", (3, 4), (34,), "joined"),
    ("removed", (7,), (), "survey_increment"),
    ("removed", (17,), (), "survey_increment"),
    ("added", (), (8,), "survey_increment"),
    ("renumbered", (14,), (41,), "renumbered"),
    ("renumbered", (5,), (51,), "renumbered"),
    ("renumbered", (6,), (61,), "renumbered"),
    ("boundary_drifted", (10,), (10,), "resurvey"),
    ("boundary_drifted", (15,), (15,), "resurvey"),
    ("attribute_changed", (9,), (9,), "use_changed"),
    ("attribute_changed", (1,), (1,), "demolished"),
    ("reclassified", (1,), (1,), "demolished"),
    ("reclassified", (11,), (11,), "rule_changed"),
    ("disposed", (12,), (12,), "decision"),
}
FILED = [code(number) for number in (2, 12, 13, 17)]


class District:
    """A project in which both years can be made, and commands on it."""

    def __init__(self, project) -> None:
        self.folder = project.settings.folder
        (self.folder / "definitions").mkdir(exist_ok=True)
        (self.folder / "definitions" / "states.toml").write_text(STATES, encoding="utf-8")
        file = self.folder / "lowland.toml"
        file.write_text(
            file.read_text(encoding="utf-8") + "\n[classify]\npack = 'pack.toml'\n", encoding="utf-8"
        )
        self.pack(0.5)

    def pack(self, far_min: float) -> None:
        """Write an edition of the rules."""
        (self.folder / "pack.toml").write_text(PACK.format(far_min=far_min), encoding="utf-8")

    @property
    def project(self):
        """The project as its file says it now."""
        return open_project(self.folder)

    def lowland(self, *arguments, code=0):
        """Run a command; return what it printed and said."""
        done = CliRunner().invoke(
            lowland, ["--project", str(self.folder / "lowland.toml"), *map(str, arguments)]
        )
        refused = isinstance(done.exception, LowlandError)
        if done.exception is not None and not refused and not isinstance(done.exception, SystemExit):
            raise done.exception
        said = done.stdout + done.stderr + (str(done.exception) if refused else "")
        assert (done.exception.exit_code if refused else done.exit_code) == code, said
        return done.stdout if not code and "--json" in arguments else said

    def rows(self, query, *values):
        with psycopg.connect(self.project.dsn) as connection:
            return connection.execute(query, values).fetchall()

    def deliver(self, parcels: dict[str, Parcel], day: str, border: float = 250) -> None:
        """Deliver parcels and towns of a day, and judge them for it."""
        file = self.folder / "lowland.toml"
        lines = [
            f"as_of = {day}" if line.startswith("as_of") else line
            for line in file.read_text(encoding="utf-8").splitlines()
        ]
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        towns = {"XZQDM": [EAST, WEST], "XZQMC": ["东镇", "西镇"]}
        shapes = [box(-100, -100, border + 100, 900), box(border, -100, 900, 900)]
        self._ingest("town", pd.DataFrame(towns), shapes, day)
        fields = {
            "ZDDM": list(parcels), "RJL": [each.far for each in parcels.values()], "YT": [each.use for each in parcels.values()],
            "ZDMJ": [each.shape.area for each in parcels.values()],
        }  # fmt: skip
        self._ingest("parcel", pd.DataFrame(fields), [each.shape for each in parcels.values()], day)

    def _ingest(self, layer, rows, shapes, day) -> None:
        path = self.folder / f"{layer}-{day}.gpkg"
        if not path.exists():
            gpd.GeoDataFrame(rows, geometry=shapes, crs=4548).to_file(path, layer=layer)
        ingest(self.project, DeliverySettings(layer=layer, source=f"{path}:{layer}", as_of=day))

    def judge(self) -> None:
        """Bring verdicts and drafts up to date."""
        tabulate(self.project)
        measure(self.project)
        classify(self.project)
        determine(self.project)

    def paper(self, name: str):
        """A paper."""
        file = self.folder / f"{name}.pdf"
        file.write_bytes(f"%PDF-1.4 {name}".encode())
        return file

    def file(self, codes) -> None:
        """Bring drafts through notice, determination, submission, review and filing."""
        for days, verb in enumerate(("notice", "approve", "submit", "review", "file")):
            on = today() + dt.timedelta(days=min(days, 1))
            self.lowland("registry", verb, *codes, "--document", self.paper(verb), "--on", on)

    def first_year(self) -> None:
        """The first year, with four entries filed of which one is disposed of since."""
        self.deliver(FIRST, "2023-12-31")
        self.judge()
        self.file(FILED)
        on = today() + dt.timedelta(days=1)
        paper = self.paper("dispose")
        self.lowland(
            "registry",
            "dispose",
            code(12),
            "--document",
            paper,
            "--document-no",
            "津北辰〔2024〕9号",
            "--on",
            on,
        )

    def second_year(self, *, border: float = 250) -> None:
        """The second year, under another edition of the rules."""
        self.pack(0.7)
        self.deliver(second(), "2024-12-31", border)
        self.judge()

    def found(self) -> dict:
        """What the comparison finds."""
        return json.loads(self.lowland("update", "diff", "--json"))


def named(changes) -> set:
    """Changes as the truth has them."""

    def numbers(codes):
        return tuple(int(each[-2:]) for each in codes.split("、")) if codes else ()

    return {
        (each["kind"], numbers(each["old_parcels"]), numbers(each["new_parcels"]), each["cause"])
        for each in changes
    }
