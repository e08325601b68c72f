"""What measures ask of parcels beyond those at hand, and who answers: these themselves where they are all, else the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.pipeline.base import land
from lowland_gis.pipeline.base.runs import Versions
from lowland_gis.pipeline.evidence.records import stated
from lowland_gis.pipeline.evidence.some import Some

Floats = npt.NDArray[np.float64]


class Beyond(Protocol):
    """Who knows of parcels that are not at hand."""

    def documented(self, named: list[str], at_hand: pd.Index[Any]) -> pd.Index[Any]:
        """Return the codes of all parcels of which papers are to be taken, at least those of `named` that are parcels."""

    def total_stated(self, total: str, at_hand: bool) -> bool:
        """Tell whether any firm on any parcel states a total; `at_hand` tells whether one of those at hand does."""

    def firm_parts(self) -> Floats | None:
        """Return which part of its firm's total each row of firms takes, or None where all parcels of the firms are at hand."""


class NothingBeyond:
    """All parcels are at hand."""

    def documented(self, named: list[str], at_hand: pd.Index[Any]) -> pd.Index[Any]:  # noqa: ARG002 - as the protocol has it
        """Return the parcels at hand."""
        return at_hand

    def total_stated(self, total: str, at_hand: bool) -> bool:  # noqa: ARG002 - as the protocol has it
        """Tell what those at hand say."""
        return at_hand

    def firm_parts(self) -> None:
        """Return nothing: the firms have no other parcels."""


@dataclass(frozen=True)
class InDatabase:
    """Some parcels are at hand, with all that share a firm with one of them; the others are in the database."""

    connection: Connection
    versions: Versions
    some: Some

    def documented(self, named: list[str], at_hand: pd.Index[Any]) -> pd.Index[Any]:  # noqa: ARG002 - as the protocol has it
        """Return those of the named ones that are parcels."""
        return pd.Index(land.present(self.connection, self.some.parcel_versions, named), dtype=object)

    def total_stated(self, total: str, at_hand: bool) -> bool:  # noqa: ARG002 - as the protocol has it
        """Tell what the database says."""
        return stated(self.connection, self.versions.get("enterprise", []), total, self.some.parcel_versions)

    def firm_parts(self) -> None:
        """Return nothing: the parcels of the firms are at hand."""
