"""Read a rule pack, shipped or the district's own, and refuse one that has faults."""

from __future__ import annotations

import datetime as dt
import json
from difflib import get_close_matches
from functools import lru_cache
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lowland_gis.analysis.rules.examples import Ran, run_examples
from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.analysis.rules.pack import KIND, RulePack
from lowland_gis.analysis.rules.pack_faults import ADAPTER, example_faults, pack_faults
from lowland_gis.analysis.rules.pack_limits import day_faults
from lowland_gis.analysis.rules.pack_values import RECORDED
from lowland_gis.definitions.measure import measure_units
from lowland_gis.definitions.own import in_use, names, path_of
from lowland_gis.definitions.reading import parsed
from lowland_gis.errors import DefinitionError, listed

_NOT_OF_OLD = "none"
_SHOWN = 5
NO_EXAMPLES = (
    "it has no examples, so nothing shows that its rules say what is meant, and a slip in a limit is found by no check."
    " Add [[question.rule.example]] with given and gives below each rule."
)
_OTHER_FORMATS = (".yaml", ".yml", ".json", ".py")


def rule_pack(name: str, folder: Path, as_of: dt.date | None = None) -> RulePack:
    """Return a shipped rule pack by name, or the one in a TOML file (relative to `folder`).

    With `as_of`, a parameter that is not in force on that day is a fault.

    Raises:
        DefinitionError: there is no such pack, or it has faults; the first five are shown, `lowland rules check` lists all.
    """
    path = pack_path(name, folder)
    pack, found = checked(path, as_of)
    if pack is None:
        raise DefinitionError(_refusal(path, found))
    return pack


def written_pack(name: str, folder: Path) -> RulePack | None:
    """Return a pack as its file says it, with nothing looked at but its form; None where the form is wrong.

    For what holds a pack against the record of a run, which has looked at all of it.
    """
    try:
        return ADAPTER.validate_python(parsed(pack_path(name, folder)))
    except (DefinitionError, ValidationError):
        return None


def _refusal(path: Path, found: list[Fault]) -> str:
    return (
        f"{path}: {len(found)} fault(s):\n{listed(fault_lines(found))}\n"
        f"All of them: lowland rules check {path}"
    )


def _with_derived(units: dict[str, str], pack: RulePack) -> dict[str, str]:
    return units | {item.name: item.unit for item in pack.derived}


def pack_names() -> list[str]:
    """Return the names of the rule packs: the shipped ones, and those in the project's `definitions/rules`."""
    return names("rules", in_use())


def pack_path(name: str, folder: Path) -> Path:
    """Return the file of a shipped pack, or of the district's own.

    Raises:
        DefinitionError: there is no such pack, or it is no TOML file.
    """
    if name.lower().endswith(_OTHER_FORMATS):
        raise DefinitionError(
            f"{name}: a rule pack is a TOML file; YAML, JSON and programs are not read. Rewrite it as .toml,"
            " with one of these as the pattern: lowland rules list"
        )
    path = folder / name if name.endswith(".toml") else path_of(f"rules/{name}.toml", in_use())
    if not path.is_file():
        if name.endswith(".toml"):
            raise DefinitionError(
                f"{path}: there is no such file. Name the file of a rule pack, or one of these: {', '.join(pack_names())}"
            )
        near = get_close_matches(name, pack_names(), n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise DefinitionError(
            f"There is no rule pack {name!r}.{hint} Known: {', '.join(pack_names())}; or name a .toml file."
        )
    return path


def checked(
    path: Path, as_of: dt.date | None = None, *, in_force_then: bool = False
) -> tuple[RulePack | None, list[Fault]]:
    """Return the pack in a TOML file and no fault, or no pack and every fault.

    With `in_force_then` a pack in which nothing is in force on the day is a fault too; without it a pack that comes into force later
    is taken as of its first day.

    Raises:
        DefinitionError: the file is not readable as TOML.
    """
    pack, found = _checked(_Written(parsed(path), measure_units()), as_of, in_force_then=in_force_then)
    return pack, list(found)


class _Written:
    """What a pack file says and the measures that it can name; equal where both are, so that what was found is found once a process."""

    def __init__(self, content: dict[str, Any], units: dict[str, str]) -> None:
        self.content, self.units = content, units
        self._text = json.dumps([content, units], default=repr)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Written) and self._text == other._text

    def __hash__(self) -> int:
        return hash(self._text)


@lru_cache(maxsize=8)
def _checked(
    written: _Written, as_of: dt.date | None, *, in_force_then: bool
) -> tuple[RulePack | None, tuple[Fault, ...]]:
    """Return the pack or its faults; several stages of a run ask for the same one."""
    content, units = written.content, written.units
    found = pack_faults(content, units, as_of)
    if in_force_then and as_of is not None:
        found += day_faults(content, as_of)
    if found:
        return None, tuple(found)
    pack = ADAPTER.validate_python(content)
    found = example_faults(pack, _with_derived(units, pack), pack.day(as_of or pack.in_force))
    return (None if found else pack), tuple(found)


def ran_examples(path: Path) -> list[Ran]:
    """Run the examples of a pack on the day it came into force.

    Raises:
        DefinitionError: the file is not readable, or the pack has other faults than examples that do not hold.
    """
    content, units = parsed(path), measure_units()
    found = pack_faults(content, units)
    if found:
        raise DefinitionError(_refusal(path, found))
    pack = ADAPTER.validate_python(content)
    return list(run_examples(pack, _with_derived(units, pack), pack.in_force))


def pack_name(name: str, folder: Path) -> str | None:
    """Return the name that a pack gives itself in its head; None where the file is not there or not readable."""
    try:
        found = parsed(pack_path(name, folder)).get("name")
    except DefinitionError:
        return None
    return found if isinstance(found, str) else None


def unproven(pack: RulePack) -> list[str]:
    """Say of a pack which of its rules have no example, and what to do; nothing where all have one."""
    bare = pack.unproven
    if not bare:
        return []
    if not any(part.example for question in pack.question for part in question.parts):
        return [f"{pack.name}: {NO_EXAMPLES}"]
    named = ", ".join(bare[:_SHOWN]) + (f" … and {len(bare) - _SHOWN} more" if len(bare) > _SHOWN else "")
    return [
        f"{pack.name}: {len(bare)} rule(s) have no example, so nothing shows that they say what is meant: {named}. Add [[question.rule.example]] below each."
    ]


def to_json(pack: RulePack) -> dict[str, Any]:
    """Return a pack as JSON, for the record of a run."""
    return json.loads(ADAPTER.dump_json(pack))  # type: ignore[no-any-return]


def from_json(recorded: dict[str, Any]) -> RulePack:
    """Return the pack that a run recorded; one of before answers had stated meanings has the meanings of its day."""
    content = {**recorded, "question": [_with_meanings(one) for one in recorded["question"]]}
    # Days are texts in JSON, and only there may they be.
    return ADAPTER.validate_json(json.dumps(content), context=RECORDED)


def _with_meanings(question: dict[str, Any]) -> dict[str, Any]:
    """Return a recorded question with meanings: `none` and `open` used to mean what their names say, all else low."""
    if question["name"] != KIND or question.get("means"):
        return question
    low = [answer for answer in question["answers"] if answer != _NOT_OF_OLD]
    return {**question, "means": {"low": low, "not": [_NOT_OF_OLD]}}
