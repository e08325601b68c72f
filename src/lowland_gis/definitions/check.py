"""Checks as data: what is looked at, in which layers, with which limits, how bad it is and where it comes from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from functools import cache
from typing import Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, model_validator

from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.definitions.codes import DOMAINS, code_names, code_rows
from lowland_gis.definitions.layer import LayerDefinition, families, layer_definition, layer_keys
from lowland_gis.definitions.own import Own, in_use
from lowland_gis.definitions.reading import FOLDER, read_toml
from lowland_gis.errors import SHOWN_IN_FILES, DefinitionError, UsageError, listed

Severity = Literal["error", "warning"]

# Kind → the options and the parameters that it cannot do without.
KINDS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "overlap": ((), ("min_area_m2",)),
    "duplicate": ((), ()),
    "gap": ((), ("min_area_m2",)),
    "uncovered": (("other",), ("min_area_m2",)),
    "outside": (("other",), ("min_area_m2",)),
    "without_value": (("other",), ("min_area_m2",)),
    "repair_loss": ((), ("max_share",)),
    "small_part": ((), ("min_area_m2",)),
    "narrow_part": ((), ("min_width_m",)),
    "small_feature": (("limit",), ()),
    "multipart": ((), ()),
    "hole": ((), ()),
    "short_edge": ((), ("min_length_m",)),
    "short_line": ((), ("min_length_m",)),
    "sharp_angle": ((), ("min_angle_deg",)),
    "mandatory": (("fields",), ()),
    "domain": (("fields",), ()),
    "range": (("fields",), ()),
    "pattern": (("fields", "pattern"), ()),
    "unique": (("fields",), ()),
    "unique_within": (("fields",), ()),
    "date_order": (("fields",), ()),
    "begins": (("fields", "other", "other_field"), ("digits",)),
    "misplaced": (("fields", "other", "other_field"), ("digits", "claim_min")),
    "only_on": (("fields", "classes"), ()),
    "combination": (("fields", "combination"), ()),
    "equation": (("fields",), ("tolerance",)),
    "product": (("fields",), ("tolerance",)),
    "area": (("fields",), ("tolerance_m2",)),
    "floor_area": (("fields",), ("tolerance_share",)),
    "within": (("other",), ("max_share",)),
    "astride": (("other", "other_field"), ("claim_min",)),
    "partner": (("fields", "other"), ()),
    "credit_code": (("fields",), ()),
    "increment": (("fields", "other"), ()),
    "town_increment": (("fields", "other"), ()),
}


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Parameter(_Frozen):
    """A limit with its unit and source; `example` where no official value is known."""

    value: float
    unit: str
    source: str
    example: bool = False


class AreaLimit(_Frozen):
    """The smallest area of the classes it names; the first limit that names a class holds."""

    parameter: str
    classes: tuple[str, ...] = ()
    law_class: tuple[str, ...] = ()


class Combination(_Frozen):
    """Classes that go, or do not go, with some values of a field; "" stands for an empty field."""

    values: tuple[str, ...]
    allowed: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()


class CheckDefinition(_Frozen):
    """One check.

    Layers are those of `layers` and of the `families`. `fields` names the fields by layer, so that one check serves layers that spell them
    differently; with `each` it is the layers of the families that name them: their mandatory fields, the identifier that is unique, or
    the stated area. A layer that names none is left out. `when` limits a check
    to records whose field has one of the values; a trailing * stands for every code that begins so. `classes` are codes
    of the class field, `codes` is a code list (`name:` before it asks for its names, `domain:` for one domain of
    domain_codes).
    """

    kind: str
    suite: str
    title: str
    message: str
    severity: Severity
    system: str | None = None
    number: str | None = None
    source: str
    enabled: bool = True
    families: tuple[str, ...] = ()
    each: Literal["mandatory", "unique", "area"] | None = None
    layers: tuple[str, ...] = ()
    fields: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    parameter: dict[str, Parameter] = Field(default_factory=dict)
    when: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    classes: tuple[str, ...] = ()
    class_field: str = "DLBM"
    values: tuple[str, ...] = ()
    codes: str | None = None
    pattern: str | None = None
    other: str | None = None
    other_field: str | None = None
    above_only: bool = False
    exclusive: bool = False
    limit: tuple[AreaLimit, ...] = ()
    combination: tuple[Combination, ...] = ()
    law_classes: str | None = None

    @model_validator(mode="after")
    def _whole(self) -> CheckDefinition:
        if self.kind not in KINDS:
            raise ValueError(f"there is no kind {self.kind!r}; the kinds are {', '.join(KINDS)}")
        options, parameters = KINDS[self.kind]
        missing = [
            name for name in options if not getattr(self, name) and not (name == "fields" and self.each)
        ]
        missing += [f"parameter.{name}" for name in parameters if name not in self.parameter]
        if missing:
            raise ValueError(f"a check of kind {self.kind} needs {', '.join(missing)}")
        unknown = sorted(set(self.layer_keys) - set(layer_keys()))
        if unknown or not (self.layer_keys or self.families):
            raise ValueError(f"layers that are not known: {', '.join(unknown) or 'none is named'}")
        if self.each is not None and not self.families:
            raise ValueError("each takes fields of the layers of families, and families are not given")
        return self

    @property
    def layer_keys(self) -> tuple[str, ...]:
        """Return the layers that it looks at."""
        return self.layers or tuple(self.fields)

    @property
    def official(self) -> str | None:
        """Return the system and the number of the rule, where it has one."""
        return None if self.system is None else " ".join(filter(None, (self.system, self.number)))

    def value(self, name: str) -> float:
        """Return the value of a parameter."""
        return self.parameter[name].value

    def used_fields(self, layer: str) -> set[str]:
        """Return the fields of a layer that it reads."""
        used = set(self.fields.get(layer, ())) | set(self.when)
        if self.classes or self.combination or self.limit:
            used.add(self.class_field)
        return used


class Override(Protocol):
    """What a project may change about a check."""

    @property
    def severity(self) -> Severity | None:
        """Return another severity, if any."""

    @property
    def enabled(self) -> bool | None:
        """Return another switch, if any."""

    @property
    def parameter(self) -> dict[str, float]:
        """Return other limits by name."""


ADAPTER = TypeAdapter(dict[str, CheckDefinition])
FILE = "checks.toml"


def checks() -> dict[str, CheckDefinition]:
    """Return the checks by name, those of the project in their place or behind them; a layer that is `checked_as` another stands wherever that one is named."""
    return _checks(in_use())


@cache
def _checks(own: Own) -> dict[str, CheckDefinition]:
    found, added = read_toml(FOLDER / FILE, ADAPTER), own.file(FILE)
    if added is not None:
        found = found | read_toml(added, ADAPTER)
    found = {name: _with_families(check) for name, check in found.items()}
    alike = {key: layer_definition(key).checked_as for key in layer_keys()}
    return {
        name: _for_alike(check, {key: other for key, other in alike.items() if other})
        for name, check in found.items()
    }


def _with_families(check: CheckDefinition) -> CheckDefinition:
    """Return a check with the layers of its families, and with the fields that these name where it asks for `each`."""
    known = families()
    keys = [key for family in check.families for key in known.get(family, ())]
    if check.each is None:
        return check.model_copy(update={"layers": (*check.layers, *keys)})
    named = {key: _named_fields(layer_definition(key), check.each) for key in keys}
    fields = {key: names for key, names in named.items() if names}
    return check.model_copy(update={"fields": fields | check.fields})


def _named_fields(layer: LayerDefinition, each: str) -> tuple[str, ...]:
    """Return the fields that a layer names for a check of all."""
    if each == "mandatory":
        return tuple(field.name for field in layer.field if field.mandatory)
    found = layer.area_field if each == "area" else layer.identifier if layer.unique else None
    return () if found is None else (found,)


def _for_alike(check: CheckDefinition, alike: Mapping[str, str]) -> CheckDefinition:
    layers = [key for key, other in alike.items() if other in check.layers]
    fields = {key: check.fields[other] for key, other in alike.items() if other in check.fields}
    return check.model_copy(update={"layers": (*check.layers, *layers), "fields": check.fields | fields})


def chosen_checks(overrides: Mapping[str, Override], suite: str | None = None) -> dict[str, CheckDefinition]:
    """Return the checks that are switched on, as the project wants them.

    Raises:
        DefinitionError: the project names a check or a parameter that does not exist.
        UsageError: there is no such suite.
    """
    known = checks()
    faults = [
        Fault("", f"[check.{name}]", None, "there is no such check", _nearest(name, known))
        for name in overrides
        if name not in known
    ]
    for name, override in overrides.items():
        for parameter in override.parameter if name in known else ():
            if parameter not in known[name].parameter:
                problem = "the check has no such parameter"
                allowed = tuple(known[name].parameter)
                faults.append(Fault(f"[check.{name}]", f"parameter.{parameter}", None, problem, allowed))
    if faults:
        raise DefinitionError(
            f"lowland.toml: {len(faults)} fault(s) in the settings of checks:\n"
            f"{listed(fault_lines(faults), shown=SHOWN_IN_FILES)}\n"
            "The names are shown by: lowland check show. Mend them and try again."
        )
    suites = sorted({check.suite for check in known.values()})
    if suite is not None and suite not in suites:
        raise UsageError(f"There is no suite {suite!r}. The suites are: {', '.join(suites)}.")
    changed = {name: _changed(check, overrides.get(name)) for name, check in known.items()}
    return {
        name: check
        for name, check in changed.items()
        if check.enabled and (suite is None or check.suite == suite)
    }


def _nearest(name: str, known: Iterable[str]) -> tuple[str, ...]:
    """Return the names that are spelt most like one, the best first; all of them where none is."""
    names = list(known)
    return tuple(get_close_matches(name, names, n=3, cutoff=0.4) or names)


def _changed(check: CheckDefinition, override: Override | None) -> CheckDefinition:
    if override is None:
        return check
    parameters = {
        name: parameter.model_copy(update={"value": override.parameter.get(name, parameter.value)})
        for name, parameter in check.parameter.items()
    }
    update: dict[str, object] = {"parameter": parameters}
    if override.severity is not None:
        update["severity"] = override.severity
    if override.enabled is not None:
        update["enabled"] = override.enabled
    return check.model_copy(update=update)


def permitted(check: CheckDefinition) -> frozenset[str]:
    """Return the values that a domain check permits."""
    if check.codes is None:
        return frozenset(check.values)
    kind, _, name = check.codes.rpartition(":")
    if kind == "domain":
        return frozenset(row["code"] for row in code_rows(DOMAINS) if row["domain"] == name)
    names = code_names(name)
    return frozenset(names.values() if kind == "name" else names)


def law_classes(table: str) -> dict[str, str]:
    """Return code → class of the Land Administration Law (三大类) of a code list."""
    return {row["code"]: row["law_class"] for row in code_rows(table)}
