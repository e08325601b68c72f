"""Coordinate systems that the user gives for two files, of which either may declare none or a wrong one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from lowland_gis.errors import UsageError

Role = Literal["parcels", "zones"]


@dataclass(frozen=True)
class GivenCrs:
    """`undeclared` is for a file that declares no system; `parcels` and `zones` win over what theirs declares."""

    undeclared: str | None = None
    parcels: str | None = None
    zones: str | None = None

    def of(self, role: Role, declared: str | None) -> str | None:
        """Return what the user gives for a file, None where its own declaration is to be taken."""
        named = self.parcels if role == "parcels" else self.zones
        return named or (None if declared else self.undeclared)

    def refuse_unused(self, declared: Sequence[str | None]) -> None:
        """Refuse a system that no file has use for, so that nobody takes it for used.

        Raises:
            UsageError: both files declare a system.
        """
        if self.undeclared and all(declared):
            raise UsageError(
                f"--src-crs {self.undeclared} is for a file that declares no system, but both declare one. Leave it away, or, if a"
                f" declaration is wrong, type --src-crs parcels={self.undeclared} or --src-crs zones={self.undeclared}."
            )


NONE_GIVEN = GivenCrs()


def given_crs(words: Sequence[str]) -> GivenCrs:
    """Return what `--src-crs` says, given once or more: `EPSG:…`, `parcels=EPSG:…`, `zones=EPSG:…`.

    Raises:
        UsageError: one thing is said twice.
    """
    said: dict[str, str] = {}
    for word in words:
        role, _, system = word.rpartition("=") if word.startswith(("parcels=", "zones=")) else ("", "", word)
        if role in said:
            raise UsageError(
                f"--src-crs {word}: {role or 'a system without a file before it'} is given twice. Give it once."
            )
        said[role] = system
    return GivenCrs(said.get("") or None, said.get("parcels"), said.get("zones"))
