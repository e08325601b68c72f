"""A layer read as a whole: polygons on its plane, mended as ingest mends them, with some of its fields."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import shapely

from lowland_gis.analysis.fields.plain_values import plain_values
from lowland_gis.api.layers import Layer, layer
from lowland_gis.files.crs import Reference
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.pipeline.intake.given_crs import GivenCrs
from lowland_gis.pipeline.overlaps.vector_file import (
    VectorFile,
    column,
    order_of_names,
    tell_faults,
    tell_plane,
    vector_file,
)


@dataclass(frozen=True)
class Shapes:
    """A layer that was read: its geometries (None where there is none that is usable), the names of its rows, and fields."""

    file: VectorFile
    geometries: npt.NDArray[np.object_]
    names: pa.Array
    fields: dict[str, pa.Array]

    @property
    def plane(self) -> Reference:
        """Return the plane that it is on."""
        return self.file.plane

    @property
    def index(self) -> pd.Index:
        """Return the names of the rows as the index of a frame."""
        names: pd.Index = pd.Index(self.names.to_pandas())
        return names


def shapes(
    given: Layer, name: str, *, id_field: str | None, fields: Sequence[str], src_crs: str | None, tell: Tell
) -> Shapes:
    """Read a layer of polygons on its own plane, which is in metres.

    Raises:
        InputRefusedError: it has no coordinate system or no such field, is in degrees, or a name stands for several rows.
    """
    asked = [*filter(None, [id_field]), *fields]
    with vector_file(layer(given, name), asked, None, GivenCrs(parcels=src_crs)) as file:
        batches = list(file.batches)
        read = [file.geometries(batch, "polygon") for batch in batches]
    geometries = np.concatenate([np.empty(0, dtype=object), *(some for some, _ in read)])
    tell_faults(file, sum((faults for _, faults in read), Counter[str]()), tell)
    tell_plane(file, shapely.bounds(geometries), tell)
    named = column(batches, id_field, file.name)
    if named is None:
        named = (
            pa.array(np.arange(len(geometries))) if file.row_names is None else plain_values(file.row_names)
        )
    order_of_names(named, id_field or "the index", file.name)
    values = {field: column(batches, field, file.name) for field in fields}
    return Shapes(
        file, geometries, named, {field: found for field, found in values.items() if found is not None}
    )
