"""Read one TOML definition into its model and report every fault of it at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from lowland_gis import toml
from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.analysis.rules.model_faults import model_faults
from lowland_gis.errors import SHOWN_IN_FILES, DefinitionError, listed

FOLDER = Path(__file__).parent

Model = TypeVar("Model")


def read_toml(path: Path, adapter: TypeAdapter[Model]) -> Model:
    """Read a definition file.

    Raises:
        DefinitionError: the file is missing, too large, no TOML, or does not fit the model; with every fault.
    """
    return validated(parsed(path), adapter, path)


def parsed(path: Path) -> dict[str, Any]:
    """Return the content of a TOML file.

    Raises:
        DefinitionError: the file is missing, too large or no TOML.
    """
    return toml.read(path, DefinitionError)


def validated(
    content: dict[str, Any], adapter: TypeAdapter[Model], path: Path, *, beside: Sequence[Fault] = ()
) -> Model:
    """Return the model behind parsed TOML.

    Raises:
        DefinitionError: the content does not fit, or there are faults `beside` its form; `path` names the file in the message.
    """
    fit = fitted(content, adapter)
    model, faults = fit
    if model is None or beside:
        raise refused(path, [*faults, *beside])
    return model


def fitted(content: dict[str, Any], adapter: TypeAdapter[Model]) -> tuple[Model | None, list[Fault]]:
    """Return the model behind parsed TOML and no fault, or no model and every fault of its form."""
    try:
        return adapter.validate_python(content), []
    except ValidationError as error:
        return None, model_faults(error, adapter._type)  # noqa: SLF001 - the adapter does not tell it otherwise


def refused(path: Path, faults: Sequence[Fault]) -> DefinitionError:
    """Return the refusal of a definition file, with all of its faults."""
    lines = listed(fault_lines(faults), shown=SHOWN_IN_FILES)
    return DefinitionError(f"{path}: {len(faults)} fault(s):\n{lines}\nMend them and try again.")


def shipped(kind: str) -> list[str]:
    """Return the names of the shipped definitions of a kind: layers, rules or packages."""
    return list(_shipped(kind))


@cache
def _shipped(kind: str) -> tuple[str, ...]:
    return tuple(sorted(path.stem for path in (FOLDER / kind).glob("*.toml")))
