"""The parameters of potential (`potential.toml`): what is taken for granted, by planned use, plan zone and kind, with unit and document."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter

from lowland_gis.analysis.potential.bands import Band
from lowland_gis.analysis.rules.faults import Fault
from lowland_gis.quantities import UNITS, comparable, converted, same_dimension


@dataclass(frozen=True)
class Meaning:
    """What a parameter of a name is: its title and the unit that it is computed in; a `share` lies between 0 and 1."""

    title: str
    unit: str


MEANINGS = {
    "far": Meaning("规划容积率（详细规划未给出时）", "ratio"),
    "density": Meaning("规划建筑密度（详细规划未给出时）", "share"),
    "redeveloped": Meaning("低效用地可再开发比例", "share"),
    "idle_from": Meaning("视为闲置的超约定动工年数", "year"),
    "public_share": Meaning("公益性用地最低占比", "share"),
    "acquisition": Meaning("收储成本", "万元/亩"),
    "sale_price": Meaning("出让收入", "万元/亩"),
    "top_up": Meaning("补缴地价（按新增建筑面积）", "元/m²"),
    "public_cost": Meaning("公益性用地建设成本", "万元/亩"),
    "weight_plan": Meaning("评分权重：规划用途", "share"),
    "weight_kind": Meaning("评分权重：低效类型", "share"),
    "weight_zone": Meaning("评分权重：规划分区", "share"),
    "weight_public": Meaning("评分权重：公益性用地缺口", "share"),
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(_Frozen):
    """A number: `value`, or `low` and `high`; `use` is the beginning of a planned use, `zone` a plan zone, `kind` a kind of low-efficiency land."""

    name: str
    unit: str
    document: str = Field(min_length=1)
    value: float | None = Field(default=None, ge=0)
    low: float | None = Field(default=None, ge=0)
    high: float | None = Field(default=None, ge=0)
    use: str | None = Field(default=None, min_length=1)
    zone: str | None = Field(default=None, min_length=1)
    kind: str | None = Field(default=None, min_length=1)
    date: dt.date | None = None
    example: bool = False

    @property
    def band(self) -> Band:
        """Return what it says, in the unit that its name is computed in."""
        unit = MEANINGS[self.name].unit
        low, high = (self.value, self.value) if self.value is not None else (self.low, self.high)
        if low is None or high is None:
            raise AssertionError("a parameter without a number was not refused")
        return Band(converted(low, self.unit, unit), converted(high, self.unit, unit))

    @property
    def key(self) -> tuple[str, str | None, str | None, str | None]:
        """Return what tells it from the others."""
        return self.name, self.use, self.kind, self.zone

    @property
    def place(self) -> str:
        """Return where it stands, as people find it."""
        said = ((name, getattr(self, name)) for name in ("use", "kind", "zone"))
        where = ", ".join(f"{name} {value}" for name, value in said if value is not None)
        return f"parameter {self.name}" + (f" ({where})" if where else "")


class Use(_Frozen):
    """A use that a unit could be given next: planned uses (beginnings of codes), kinds and plan zones that it fits; no zone fits all."""

    title: str = Field(min_length=1)
    codes: tuple[str, ...] = Field(min_length=1)
    kinds: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    public: bool = False
    document: str = Field(min_length=1)
    example: bool = False


class Way(_Frozen):
    """A way of redevelopment (方案): `reserve`, where the government buys and sells, or `owner`, who pays for floor area gained; its steps in order."""

    title: str = Field(min_length=1)
    step: tuple[str, ...] = Field(min_length=1)
    document: str = Field(min_length=1)
    example: bool = False


class Phase(_Frozen):
    """A phase (时序) and what stands in it."""

    title: str = Field(min_length=1)
    what: str = Field(min_length=1)


class Ways(_Frozen):
    """The two ways whose money is set side by side."""

    reserve: Way
    owner: Way


class Phases(_Frozen):
    """The phases by how ready land is: nothing is missing; papers are; the kind itself or the protection is open."""

    ready: Phase
    papers: Phase
    open: Phase
    document: str = Field(min_length=1)
    example: bool = False


class Parameters(_Frozen):
    """All that potential, next uses and the balance of money take for granted."""

    parameter: tuple[Parameter, ...] = Field(min_length=1)
    use: dict[str, Use] = Field(min_length=1)
    way: Ways
    phase: Phases

    def find(
        self, name: str, *, use: str | None = None, zone: str | None = None, kind: str | None = None
    ) -> Parameter | None:
        """Return the parameter that says most about a piece of land: the longest use, then the kind, then the zone; None where none says anything."""
        given = {"zone": zone, "kind": kind}
        fitting = [
            each
            for each in self.parameter
            if each.name == name
            and (each.use is None or (use is not None and use.startswith(each.use)))
            and all(getattr(each, key) in {None, value} for key, value in given.items())
        ]
        return max(
            fitting,
            key=lambda each: (len(each.use or ""), each.kind is not None, each.zone is not None),
            default=None,
        )

    def band(
        self, name: str, *, use: str | None = None, zone: str | None = None, kind: str | None = None
    ) -> Band | None:
        """Return what is taken for granted of a piece of land, None where nothing is."""
        found = self.find(name, use=use, zone=zone, kind=kind)
        return None if found is None else found.band


ADAPTER = TypeAdapter(Parameters)


def laid_over(content: dict[str, Any], added: dict[str, Any]) -> dict[str, Any]:
    """Return a parsed file with another one laid over it: parameters of the same name, use, kind and zone are replaced, tables taken as a whole."""
    laid = dict(content)
    for name, table in added.items():
        if name == "parameter" and isinstance(table, list):
            own = {_key(each) for each in table}
            laid[name] = [each for each in content[name] if _key(each) not in own] + table
        elif isinstance(table, dict):
            laid[name] = content.get(name, {}) | table
        else:
            laid[name] = table
    return laid


def _key(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return id(entry)
    return tuple(str(entry.get(name)) for name in ("name", "use", "kind", "zone"))


def named_faults(content: dict[str, Any]) -> Iterator[Fault]:
    """Yield which parameters lack a unit or a document, by their names: their numbers in a list say little to who looks for them."""
    entries = content.get("parameter")
    for number, entry in enumerate(entries if isinstance(entries, list) else [], start=1):
        if not isinstance(entry, dict):
            continue
        said = ", ".join(f"{key} {entry[key]}" for key in ("use", "kind", "zone") if key in entry)
        where = f"parameter {entry.get('name', number)}" + (f" ({said})" if said else "")
        for key, problem in (
            ("unit", "it is missing, so nobody knows what the number means"),
            ("document", "it is missing: say where the number is from, or that it is an example"),
        ):
            if key not in entry:
                name = entry.get("name")
                fitting = comparable(MEANINGS[name].unit) if key == "unit" and name in MEANINGS else ()
                yield Fault(where, key, None, problem, tuple(fitting))


def parameter_faults(parameters: Parameters) -> Iterator[Fault]:
    """Yield what does not fit: names, units, numbers, dates, and parameters that say something of the same land twice."""
    keys = [each.key for each in parameters.parameter]
    for each in parameters.parameter:
        yield from _faults_of(each)
        if keys.count(each.key) > 1:
            yield Fault(each.place, "name", each.name, "two parameters say it of the same land")
    for name in ("redeveloped", "idle_from", "public_share", *_WEIGHTS):
        if (name, None, None, None) not in keys:
            yield Fault(
                f"parameter {name}",
                "name",
                None,
                "one without use, kind and zone must be there: it stands for all other land",
            )
    sums = [
        each.band.high
        for each in parameters.parameter
        if each.name in _WEIGHTS and each.unit in UNITS and _numbered(each)
    ]
    if sums and sum(sums) <= 0:
        yield Fault("parameter weight_plan", "value", 0, "some weight must be more than 0")


_WEIGHTS = ("weight_plan", "weight_kind", "weight_zone", "weight_public")


def _numbered(each: Parameter) -> bool:
    return each.value is not None or (each.low is not None and each.high is not None)


def _faults_of(each: Parameter) -> Iterator[Fault]:
    if each.name not in MEANINGS:
        yield Fault(each.place, "name", each.name, "there is no such parameter", tuple(MEANINGS))
        return
    unit = MEANINGS[each.name].unit
    fitting = each.unit in UNITS and same_dimension(each.unit, unit)
    if not fitting:
        yield Fault(
            each.place,
            "unit",
            each.unit,
            f"it cannot be {MEANINGS[each.name].title}",
            tuple(comparable(unit)),
        )
    both = each.low is not None and each.high is not None
    if (each.value is None) != both or (each.low is None) != (each.high is None):
        yield Fault(each.place, "value", each.value, "give either value, or low and high")
    elif both and each.low is not None and each.high is not None and each.low > each.high:
        yield Fault(each.place, "low", each.low, f"it is more than high = {each.high:g}")
    elif fitting and unit == "share" and each.band.high > 1:
        yield Fault(
            each.place, "high" if both else "value", each.high if both else each.value, "a share is at most 1"
        )
    if each.name in _WEIGHTS and (each.value is None or each.key[1:] != (None, None, None)):
        yield Fault(each.place, "value", each.value, "a weight is one number for all land")
    if each.date is None and not each.example:
        yield Fault(each.place, "date", None, "a number that is no example has the date of its document")


def examples(parameters: Iterable[Parameter]) -> int:
    """Return how many of some parameters are examples."""
    return sum(each.example for each in parameters)
