"""What is wrong with a file of settings or definitions that a model refuses, in the words and with the nearest names that rule packs have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from lowland_gis.analysis.rules.faults import Fault

# The one key of a model that no file may have.
NOT_IN_FILES = "folder"
_ITEM = "…"
# Of a model, and of a dataclass.
_NO_SUCH_KEY = ("extra_forbidden", "unexpected_keyword_argument")


Loc = tuple[str | int, ...]


def model_faults(
    error: ValidationError, model: Any, placed: Callable[[Loc], tuple[str, str]] | None = None
) -> list[Fault]:
    """Return every fault of a content, keys that there are not first; `model` is the type that refused it, and knows the allowed names.

    `placed` says of a path into the content where it is and which key it ends at; without it, as tables of TOML are written.
    """
    found = [detail for detail in error.errors() if not _is_echo(detail)]
    details = sorted(found, key=lambda detail: detail["type"] not in _NO_SUCH_KEY)
    faults = [_fault(detail, model, placed or _placed) for detail in details]
    # Where one of several kinds is wanted, each of them makes a fault of its own.
    return list({(fault.where, fault.key, fault.problem): fault for fault in faults}.values())


def _is_echo(detail: ErrorDetails) -> bool:
    """Tell whether a list is called too short only because its entries were refused, each with its own fault."""
    return detail["type"] == "too_short" and bool(detail["input"])


def _fault(detail: ErrorDetails, model: Any, placed: Callable[[Loc], tuple[str, str]]) -> Fault:
    place, kind = detail["loc"], detail["type"]
    where, key = placed(_without_tags(place, model))
    if place and list(_steps(model, place))[-1] is _TAG and kind.endswith(("_type", "_parsing")):
        names = map(_name, get_args(_inner(model, place[:-1])))
        return Fault(where, key, detail["input"], f"it should be {' or '.join(dict.fromkeys(names))}")
    if kind in _NO_SUCH_KEY:
        return Fault(where, key, None, "there is no such key", _keys(model, place[:-1]))
    if kind == "missing":
        return Fault(where, key, None, "it is missing")
    value = None if isinstance(detail["input"], dict) else detail["input"]
    if kind == "literal_error":
        allowed = _literals(_inner(model, place))
        return Fault(where, key, value, "it is none of the allowed values", allowed)
    if kind.startswith("union_tag"):
        return _tag_fault(detail, model)
    return Fault(where, key, value, _words(detail["msg"]))


def _without_tags(place: Loc, model: Any) -> Loc:
    """Return a path without the steps that only choose among types, which no file has."""
    return tuple(step for step, item in zip(place, _steps(model, place), strict=True) if item is not _TAG)


def _placed(place: Loc) -> tuple[str, str]:
    """Return where a key stands as the file has it, and the key: [project], [[delivery]] 2."""
    if not place:
        return "", "file"
    if isinstance(place[-1], int):
        return _place(place[:-2]), f"{place[-2]} {place[-1] + 1}"
    return _place(place[:-1]), place[-1]


def _tag_fault(detail: ErrorDetails, model: Any) -> Fault:
    """Return the fault of a table whose one key, such as kind or form, says which keys the others are."""
    context = detail.get("ctx", {})
    where, name = _place(_without_tags(detail["loc"], model)), str(context["discriminator"]).strip("'")
    if "tag" not in context:
        return Fault(where, name, None, "it is missing")
    tags = tuple(tag.strip("' ") for tag in str(context["expected_tags"]).split(","))
    return Fault(where, name, context["tag"], "it is none of the allowed values", tags)


def _words(message: str) -> str:
    """Return the library's sentence in the form that ours have."""
    text = message.removeprefix("Value error, ").replace("Input should be", "it should be").rstrip(".")
    if text.startswith(("it should be a valid date", "it should be a valid datetime")):
        return _DATE
    for theirs, ours in _OURS:
        text = text.replace(theirs, ours)
    if (
        " or instance of " in text
        or " or an instance of " in text
        or text.endswith("an object to extract fields from")
    ):
        return "it should be a table"
    for name in _SIZES:
        text = text.replace(f"{name} should", "it should")
    return text.replace(" items after validation", " entries").replace(" item after validation", " entry")


_OURS = (
    ("a valid string", "a text"), ("a valid dictionary", "a table"), ("a valid tuple", "a list"),
    ("a valid boolean", "true or false"), ("a valid integer", "a whole number"), ("a valid number", "a number"),
    (", unable to parse string as a number", ""), (", unable to parse string as an integer", ""),
    (", unable to interpret input", ""), (", got a number with a fractional part", ""),
)  # fmt: skip
_DATE = "it should be a date such as 2024-04-17 without quotes"
_SIZES = ("Tuple", "List", "Dictionary", "String", "Value")
_KINDS = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def _name(kind: Any) -> str:
    return _KINDS.get(kind, "a table")


def _place(place: Loc) -> str:
    names: list[str] = []
    for step in place:
        if isinstance(step, int):
            names.append(f"[[{names.pop() if names else _ITEM}]] {step + 1}")
        else:
            names.append(step)
    plain = [name for name in names if not name.startswith("[[")]
    if plain == names:
        return f"[{'.'.join(names)}]" if names else ""
    return ", ".join(names)


_TAG: Any = object()


def _steps(model: Any, place: Iterable[str | int]) -> Iterator[Any]:
    """Yield the type at each step into a model, _TAG where the step chooses among types, None where it is not known."""
    for step in place:
        before, chosen = _bare(model), None
        if get_origin(before) in {Union, UnionType}:
            chosen = _chosen(before, step)
        if chosen is not None:
            model = chosen
            yield _TAG
            continue
        model = _next(before, step)
        yield model


def _inner(model: Any, place: tuple[str | int, ...]) -> Any:
    for step, found in zip(place, list(_steps(model, place)), strict=True):
        model = _chosen(_bare(model), step) if found is _TAG else found
    return _bare(model)


def _bare(kind: Any) -> Any:
    """Return a type without what is annotated on it, and without None."""
    while True:
        if hasattr(kind, "__metadata__"):
            kind = kind.__origin__
            continue
        if get_origin(kind) in {Union, UnionType}:
            others = [one for one in get_args(kind) if one is not type(None)]
            if len(others) == 1:
                kind = others[0]
                continue
        return kind


def _chosen(union: Any, step: str | int) -> Any:
    """Return the member of a union that a step names: by the value of its tag, or by its name."""
    for one in map(_bare, get_args(union)):
        tags = [tag for hint in _hints(one).values() for tag in _literals(_bare(hint))]
        if step in tags or step == getattr(one, "__name__", None):
            return one
    return None


def _next(kind: Any, step: str | int) -> Any:
    if get_origin(kind) is dict:
        return get_args(kind)[1]
    if get_origin(kind) in {tuple, list}:
        return get_args(kind)[0] if get_args(kind) else None
    if get_origin(kind) in {Union, UnionType}:
        return next((found for one in get_args(kind) if (found := _next(_bare(one), step)) is not None), None)
    return _hints(kind).get(str(step))


def _hints(kind: Any) -> dict[str, Any]:
    return _fields_of(kind) if isinstance(kind, type) else {}


@cache
def _fields_of(kind: type) -> dict[str, Any]:
    if issubclass(kind, BaseModel):
        return {name: item.annotation for name, item in kind.model_fields.items()}
    if not dataclasses.is_dataclass(kind):
        return {}
    hints = get_type_hints(kind)
    return {item.name: hints[item.name] for item in dataclasses.fields(kind)}


def _literals(kind: Any) -> tuple[str, ...]:
    return tuple(map(str, get_args(kind))) if get_origin(kind) is Literal else ()


def _keys(model: Any, place: tuple[str | int, ...]) -> tuple[str, ...]:
    names: Iterable[str] = _hints(_inner(model, place))
    return tuple(name for name in names if name != NOT_IN_FILES)
