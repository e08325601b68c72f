"""`UnitEditing`: units that are edited one thing at a time, with an answer to each as frames, and a map to click for notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import geopandas as gpd
import pandas as pd

from lowland_gis.analysis.units.draw import Draft
from lowland_gis.analysis.units.edit import Edit, Kind, told
from lowland_gis.analysis.units.repairs import Repair
from lowland_gis.analysis.units.session import Answer, EditSession
from lowland_gis.definitions.legend import Legend
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project import who
from lowland_gis.pipeline.units.editing import session_of
from lowland_gis.pipeline.units.ground import UnitInputs
from lowland_gis.products.maps.editing import editing_page
from lowland_gis.settings import DelineateSettings

Codes = str | Sequence[str]
_BREACH = ["unit_id", "rule", "value", "limit", "parcels", "message"]
_REPAIR = ["edit", "gain_m2", "value_m2", "settles", "leaves", "breaks"]
_UNIT = ["unit_id", "parcels_before", "parcels_after", "value_before_m2", "value_after_m2"]


@dataclass(frozen=True)
class EditAnswer:
    """What an edit does, as frames: `gain_m2`, `value_m2` (of all units now), `terms`, `units`, `broken`, `settled`, `repairs`, `notes`."""

    said: Answer

    @property
    def gain_m2(self) -> float:
        """Return what the edit brings, m² of low-efficiency land; negative where it costs."""
        return self.said.gain_m2

    @property
    def value_m2(self) -> float:
        """Return the value of all units after it, m²."""
        return self.said.value_m2

    @property
    def terms(self) -> pd.Series[float]:
        """Return by how much each term of the value changes, m²."""
        return pd.Series(dict(self.said.terms), dtype=float)

    @property
    def units(self) -> pd.DataFrame:
        """Return the units that it touched: unit_id, parcels and value before and after."""
        return pd.DataFrame([vars(unit) for unit in self.said.units], columns=_UNIT)

    @property
    def broken(self) -> pd.DataFrame:
        """Return every rule that those units break now: unit_id, rule, value, limit, parcels, message."""
        rows = [vars(breach) | {"parcels": " ".join(breach.parcels)} for breach in self.said.broken]
        return pd.DataFrame(rows, columns=_BREACH)

    @property
    def settled(self) -> list[str]:
        """Return the rules that those units broke before and keep now."""
        return [f"{unit} {rule}" for unit, rule in self.said.settled]

    @property
    def repairs(self) -> pd.DataFrame:
        """Return the best further edits by number from 1: edit, gain_m2, value_m2 (of all units then), rules settled, left and broken."""
        rows = [_repair(repair) for repair in self.said.repairs]
        return pd.DataFrame(rows, columns=_REPAIR, index=pd.RangeIndex(1, len(rows) + 1, name="repair"))

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what else has to be known."""
        return self.said.notes

    def _repr_html_(self) -> str:
        """Return the answer as a notebook shows it."""
        head = (
            f"<p><b>{escape(told(self.said.edit))}</b>: {self.gain_m2:+,.0f} m² → {self.value_m2:,.0f} m²</p>"
        )
        notes = "".join(f"<p>{escape(note)}</p>" for note in self.notes)
        parts = [("broken", self.broken), ("repairs", self.repairs)]
        tables = "".join(
            f"<p>{name}</p>{table.to_html(float_format='{:,.4g}'.format if name == 'broken' else '{:,.0f}'.format)}"
            for name, table in parts
            if len(table)
        )
        return head + notes + (tables or "<p>no rule is broken, and no further edit gains</p>")


def _repair(repair: Repair) -> dict[str, object]:
    rules = {
        name: ", ".join(f"{unit} {rule}" for unit, rule in getattr(repair, name)) for name in _REPAIR[3:]
    }
    edit = "take it back" if repair.edit is None else told(repair.edit)
    return {"edit": edit, "gain_m2": repair.gain_m2, "value_m2": repair.value_m2, **rules}


class UnitEditing:
    """Units that are edited one thing at a time; every edit is answered at once.

    An edit that cannot be raises `UsageError` with all its faults, and nothing has changed then. What is said stays as it is said, also where
    it breaks a rule; the answer names the rule, and the repairs. Parcels and units are named by their codes, several in a list.
    """

    def __init__(
        self, session: EditSession, parcels: gpd.GeoDataFrame, bound_m2: float, legend: Legend | None = None
    ) -> None:
        """Take a session; `edit_units` and `Project.edit_units` make one."""
        self.session = session
        self._parcels = parcels
        self._bound_m2 = bound_m2
        self._legend = legend

    @classmethod
    def of(
        cls,
        inputs: UnitInputs,
        settings: DelineateSettings,
        drawn: Draft | pd.DataFrame,
        legend: Legend | None = None,
    ) -> UnitEditing:
        """Return units drawn from some inputs, to be edited."""
        members = drawn.members if isinstance(drawn, Draft) else drawn
        bound = drawn.bound_m2 if isinstance(drawn, Draft) else 0.0
        return cls(session_of(inputs, settings, members), inputs.parcels, bound, legend)

    @property
    def value_m2(self) -> float:
        """Return the value of all units now, m²."""
        return self.session.value_m2

    @property
    def members(self) -> pd.DataFrame:
        """Return in which unit each parcel is now: parcel_id, unit_id (None where in none)."""
        return self.session.members

    @property
    def broken(self) -> pd.DataFrame:
        """Return every rule that a unit breaks now: unit_id, rule, value, limit, parcels, message."""
        rows = [vars(breach) | {"parcels": " ".join(breach.parcels)} for breach in self.session.broken]
        return pd.DataFrame(rows, columns=_BREACH)

    @property
    def links(self) -> pd.DataFrame:
        """Return the links by hand: one, other, joined (or forbidden), reason, said_by."""
        rows = [link.to_json() for link in self.session.division.links]
        return pd.DataFrame(rows, columns=["one", "other", "joined", "reason", "said_by"])

    def move(self, parcels: Codes, unit: str | None = None) -> EditAnswer:
        """Move parcels to a unit, or out of every unit."""
        return self._say("move", parcels, () if unit is None else unit)

    def new(self, parcels: Codes) -> EditAnswer:
        """Make parcels a unit of their own, wherever they are."""
        return self._say("new", parcels)

    def swap(self, parcels: Codes, others: Codes) -> EditAnswer:
        """Let parcels of two units, or one side of none, change places."""
        return self._say("swap", parcels, others=others)

    def merge(self, unit: str, *others: str) -> EditAnswer:
        """Join units into the first."""
        return self._say("merge", units=(unit, *others))

    def split(self, unit: str, parcels: Codes) -> EditAnswer:
        """Make some parcels of a unit a unit of their own."""
        return self._say("split", parcels, unit)

    def link(self, one: str, other: str, reason: str, said_by: str | None = None) -> EditAnswer:
        """Have two parcels be neighbours though the rule does not see it; without `said_by` the person at work says so."""
        return self._link("link", (one, other), reason, said_by)

    def forbid_link(self, one: str, other: str, reason: str, said_by: str | None = None) -> EditAnswer:
        """Have two parcels be no neighbours though they face each other."""
        return self._link("unlink", (one, other), reason, said_by)

    def lock(self, *units: str) -> EditAnswer:
        """Leave units as they are: they take no edit until `unlock`."""
        return self._say("lock", units=units)

    def unlock(self, *units: str) -> EditAnswer:
        """Let units be edited again."""
        return self._say("unlock", units=units)

    def forbid(self, parcels: Codes) -> EditAnswer:
        """Keep parcels out of every unit."""
        return self._say("forbid", parcels)

    def force(self, parcels: Codes) -> EditAnswer:
        """Have parcels in a unit that keeps every rule."""
        return self._say("force", parcels)

    def mend(self, *units: str) -> EditAnswer:
        """Draw units again on what they hold and on what no unit holds."""
        return self._say("mend", units=units)

    def redraw(self, *units: str) -> EditAnswer:
        """Draw the components of units anew around what is locked."""
        return self._say("redraw", units=units)

    def repair(self, number: int) -> EditAnswer | None:
        """Do a repair of the last answer by its number from 1; None where that takes the edit back.

        Raises:
            UsageError: there is no such repair.
        """
        answers = self.session.answers
        repairs = answers[-1].repairs if answers else ()
        if not 1 <= number <= len(repairs):
            raise UsageError(f"There is no repair {number}: the last answer has {len(repairs)}.")
        edit = repairs[number - 1].edit
        if edit is None:
            self.session.undo()
            return None
        return self._answered(edit)

    def undo(self) -> str | None:
        """Take the last edit back and return it in words, None where there is none."""
        edit = self.session.undo()
        return None if edit is None else told(edit)

    def redo(self) -> EditAnswer | None:
        """Do the edit that was taken back last again, None where there is none."""
        answer = self.session.redo()
        return None if answer is None else EditAnswer(answer)

    def draft(self) -> Draft:
        """Return the units as a draft, judged by the evaluator, with outlines and reasons; this takes its time."""
        return self.session.draft(self._bound_m2)

    def page(self, *units: str) -> Any:
        """Return a map to click (folium) of some units and what lies in their blocks; without names, of those that the last edit touched.

        A click on a parcel shows what it is and what could be said of it, and writes its code into the field of a panel beside the map.
        """
        return editing_page(self._around(units), self._legend)

    def panel(self) -> Any:
        """Return a panel for a notebook (ipywidgets): click parcels in the map, choose an edit, see its answer, do a repair, undo, redo."""
        from lowland_gis.api.unit_panel import panel

        return panel(self)

    def _around(self, units: Sequence[str]) -> gpd.GeoDataFrame:
        """Return the parcels of the blocks of some units: with their unit, and whether it breaks a rule."""
        session, answers = self.session, self.session.answers
        there = session.division.units
        touched = [unit.unit_id for unit in answers[-1].units] if answers else []
        names = [name for name in (units or touched or sorted(there)[:1]) if name in there]
        cells = {int(cell) for name in names for cell in session.problem.cell[there[name]]}
        near = pd.Series(session.problem.cell).isin(cells).to_numpy()
        broken = {breach.unit_id for breach in session.broken}
        frame = session.problem.parcels[["parcel_id", "area_m2", "low_m2", "kind", "geometry"]].assign(
            unit_id=session.division.unit_of, why=session.problem.reason
        )
        frame = frame[near] if names else frame
        return gpd.GeoDataFrame(
            frame.assign(broken=frame["unit_id"].isin(broken)), crs=session.problem.parcels.crs
        )

    def _link(self, kind: Kind, pair: tuple[str, str], reason: str, said_by: str | None) -> EditAnswer:
        by = who() if said_by is None else said_by
        return self._answered(replace(Edit(kind, pair[:1], others=pair[1:]), reason=reason, said_by=by))

    def _say(self, kind: Kind, parcels: Codes = (), units: Codes = (), others: Codes = ()) -> EditAnswer:
        return self._answered(Edit(kind, _codes(parcels), _codes(units), _codes(others)))

    def _answered(self, edit: Edit) -> EditAnswer:
        try:
            return EditAnswer(self.session.say(edit))
        except ValueError as error:
            raise UsageError(str(error)) from error


def _codes(given: Codes) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)
