"""What the user says of a file that the file does not say itself: encoding, system, field names, datum parameters."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lowland_gis.definitions.mapping import Mapping, read_mapping
from lowland_gis.errors import UsageError
from lowland_gis.files.datum import FourParameters, GridParameters, SevenParameters, read_datum
from lowland_gis.pipeline.base.project import Project
from lowland_gis.settings import DeliverySettings


@dataclass(frozen=True)
class Said:
    """The mapping and the datum parameters of a delivery, and all options as JSON with the digests of their files."""

    mapping: Mapping | None
    datum: FourParameters | SevenParameters | GridParameters | None
    options: dict[str, Any]


def read_said(project: Project, delivery: DeliverySettings) -> Said:
    """Read the files that a delivery names beside its own.

    Raises:
        UsageError: the mapping is for another layer.
        DefinitionError: a file is missing or wrong.
    """
    options = delivery.model_dump(mode="json", exclude={"source"}, exclude_none=True)
    for allowed in ("allow_empty", "allow_older"):
        if not options[allowed]:
            del options[allowed]
    mapping = datum = None
    if delivery.mapping is not None:
        path = project.settings.path(delivery.mapping)
        mapping = read_mapping(path)
        if mapping.layer != delivery.layer:
            raise UsageError(
                f"{path}: the mapping is for the layer {mapping.layer}, but {delivery.layer} is loaded. Name another mapping."
            )
        options["mapping"] = {"supplier": mapping.supplier, "sha256": _sha256(path)}
    if delivery.datum is not None:
        path = project.settings.path(delivery.datum)
        datum = read_datum(path)
        options["datum"] = {
            "document": datum.document,
            "accuracy_m": datum.accuracy_m,
            "sha256": _sha256(path),
        }
    return Said(mapping, datum, options)


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
