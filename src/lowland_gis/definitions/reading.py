"""Read one TOML definition into its model and report every fault of it at once."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from lowland_gis.errors import DefinitionError, listed

FOLDER = Path(__file__).parent
MAX_BYTES = 2_000_000

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
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DefinitionError(
                f"{path}: larger than {MAX_BYTES} bytes, which no definition is. Name another file."
            )
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, RecursionError) as error:
        raise DefinitionError(
            f"{path}: not readable as TOML: {error}. Mend the file and try again."
        ) from error


def validated(content: dict[str, Any], adapter: TypeAdapter[Model], path: Path) -> Model:
    """Return the model behind parsed TOML.

    Raises:
        DefinitionError: the content does not fit; `path` names the file in the message.
    """
    try:
        return adapter.validate_python(content)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()]
    raise DefinitionError(f"{path}: {len(faults)} fault(s):\n{listed(faults)}\nMend them and try again.")


def shipped(kind: str) -> list[str]:
    """Return the names of the shipped definitions of a kind: layers, rules or packages."""
    return sorted(path.stem for path in (FOLDER / kind).glob("*.toml"))
