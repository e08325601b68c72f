"""Boxes around features near some parcels, as temporary tables (`box`) of the transaction: where zones are derived from others, these are read too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from lowland_gis.db.connect import Connection
from lowland_gis.db.frames import read_frame

# A corner of a strip is drawn out to a point up to so many times half its width from the line (the limit of GEOS), and a metre for what rounds.
_CORNER, _ROUNDING_M = 5.0, 1.0


def boxes_of_features(connection: Connection, near: str, versions: Sequence[int]) -> str:
    """Return the table of the boxes of the features of some deliveries that meet the boxes of a table."""
    return _boxes(connection, f"{near}_of_features", near, versions, 0.0)


def boxes_of_lines(connection: Connection, near: str, versions: Sequence[int], width: str) -> str:
    """Return the table of the boxes within which lie all lines whose strips meet a strip that meets the boxes of a table.

    `width` is the field that says how wide a strip is, m.
    """
    rows = read_frame(
        connection,
        "SELECT attributes->>%s AS width FROM land.feature WHERE version_id = ANY(%s)",
        [width, list(versions)],
    )
    widths = pd.to_numeric(rows["width"], errors="coerce").to_numpy(dtype=np.float64)
    reach = _CORNER * np.max(widths, initial=0.0, where=np.isfinite(widths)) / 2 + _ROUNDING_M
    return _boxes(connection, f"{near}_of_lines", near, versions, float(reach))


def _boxes(connection: Connection, name: str, near: str, versions: Sequence[int], reach: float) -> str:
    connection.execute(f"DROP TABLE IF EXISTS pg_temp.{name}")
    connection.execute(
        f"CREATE TEMP TABLE {name} ON COMMIT DROP AS SELECT DISTINCT ON (feature_id) ST_Expand(ST_Envelope(geom), 2 * %(reach)s) AS box"  # noqa: S608 - names of this program
        # Box by box through the spatial index: of a delivery the server may know no numbers yet.
        f" FROM {near} near_box CROSS JOIN LATERAL (SELECT feature_id, geom FROM land.feature"
        " WHERE version_id = ANY(%(versions)s) AND geom && ST_Expand(near_box.box, %(reach)s) OFFSET 0) AS found",
        {"reach": reach, "versions": list(versions)},
    )
    connection.execute(f"ANALYZE {name}")
    return name
