"""The frames that a package is filled from: which columns each has, their units and meanings."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lowland_gis.schema.model import AREA, TOWN, Column, Table
from lowland_gis.schema.registry import LEGACY, LOW_EFFICIENCY, PROBLEM

# What no field of a file holds as it is.
_LEFT_OUT = ("json", "timestamp", "geometry")


@dataclass(frozen=True)
class Frame:
    """One frame: its meaning, whether its rows have an outline, and its columns."""

    name: str
    meaning: str
    geometry: bool
    columns: tuple[Column, ...]

    @property
    def column_names(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return tuple(column.name for column in self.columns)

    def unit(self, column: str | None) -> str | None:
        """Return the unit of a column, None where it has none or there is no such column."""
        return next((one.unit for one in self.columns if one.name == column), None)


AREA_MU = Column("area_mu", "number", "the same area in 亩, to four places", unit="亩")
TOWN_NAME = Column("town_name", "text", "name of the town (镇街名称), from the layer town", nullable=True)
_PARCEL = (
    TOWN_NAME,
    Column("location", "text", "location of the parcel (坐落 ZL)", nullable=True),
    Column("land_use", "text", "use of the parcel as registered (用途 YT)", nullable=True),
    Column("ownership", "text", "kind of ownership (权属性质 QSXZ)", nullable=True),
)
_SHARE = Column("low_share", "number", "share of low-efficiency land in the area of the unit", unit="share")


def _of(table: Table, more: Iterable[Column]) -> tuple[Column, ...]:
    return (*(column for column in table.columns if column.kind not in _LEFT_OUT), *_PARCEL, *more)


_CHANGED = (
    Column("parcel_id", "text", "parcel code (宗地代码 ZDDM)"),
    TOWN,
    TOWN_NAME,
    Column(
        "change",
        "text",
        "what became of the entry: added or changed; withdrawn or disposed, or no parcel any more",
    ),
    Column("change_title", "text", "the same in words (中文)"),
    Column("change_kinds", "text", "kinds of the changes of its parcel, in words", nullable=True),
    Column("causes", "text", "what made them, in words", nullable=True),
    Column("came_from", "text", "parcels that it came from, where these are others", nullable=True),
    Column("became", "text", "parcels that it became, where these are others", nullable=True),
    Column("area_before_m2", "number", "ellipsoidal area in the old state", unit="m²", nullable=True),
    AREA,
    AREA_MU,
    Column("kind_title", "text", "title of the kind in the rule pack", nullable=True),
    Column("state", "text", "state that the entry is in", nullable=True),
    Column("reason", "text", "why it is no part of the register any more", nullable=True),
)

FRAMES = {
    frame.name: frame
    for frame in (
        Frame(
            "low_efficiency",
            "entries of the low-efficiency land database (低效用地数据库) that are in force, one a parcel",
            geometry=True,
            columns=_of(
                LOW_EFFICIENCY,
                (
                    Column("kind_title", "text", "title of the kind in the rule pack"),
                    Column("rule_title", "text", "title of the rule that decided", nullable=True),
                    AREA_MU,
                ),
            ),
        ),
        Frame(
            "legacy",
            "entries of the historical-legacy problem database (历史遗留问题数据库) that are in force, one a parcel",
            geometry=True,
            columns=_of(
                LEGACY,
                (
                    Column("retention_title", "text", "title of the answer whether the parcel may be kept"),
                    Column("failed", "text", "titles of the clauses that are not fulfilled"),
                    Column("unknown", "text", "titles of the clauses that are still to be settled"),
                    AREA_MU,
                ),
            ),
        ),
        Frame(
            "problem",
            "entries of the problem list (问题清单) that are in force, one for each parcel, question and clause",
            geometry=False,
            columns=_of(
                PROBLEM,
                (
                    Column("question_title", "text", "title of the question in the rule pack"),
                    Column("clause_title", "text", "title of the clause that is unknown"),
                ),
            ),
        ),
        Frame(
            "unit",
            "redevelopment units: the frozen ones under their numbers, or where none is frozen the newest draft",
            geometry=True,
            columns=(
                Column("unit_id", "text", "number of the unit"),
                Column(
                    "plan_id",
                    "text",
                    "planning unit (规划单元) that it lies in: a delivered one, or blocks put together",
                    nullable=True,
                ),
                TOWN,
                TOWN_NAME,
                Column("n_parcels", "integer", "how many parcels it has"),
                AREA,
                AREA_MU,
                _SHARE,
                Column("compactness", "number", "4πA/P² of the unit; a circle has 1", nullable=True),
            ),
        ),
        Frame(
            "update_changed",
            "entries of the low-efficiency land database that an update has added or changed, one a parcel, with the new outline",
            geometry=True,
            columns=_CHANGED,
        ),
        Frame(
            "update_gone",
            "entries of the filed state that are in force no more after an update, one a parcel, with the old outline",
            geometry=True,
            columns=_CHANGED,
        ),
    )
}
