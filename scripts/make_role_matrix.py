"""Write docs/role_matrix.md: what each role may do, found by connecting as each, on a throw-away cluster.

Type: python scripts/make_role_matrix.py
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
# They stand beside the tests, which compare the page with what they find.
sys.path.insert(0, str(HOME / "tests"))

import revision_data  # type: ignore[import-not-found, unused-ignore]  # noqa: E402
from lowland_gis.db.migrate import settle_roles, upgrade  # noqa: E402
from lowland_gis.db.private import cluster as clusters  # noqa: E402
from lowland_gis.pipeline.base.procedure import enforce  # noqa: E402
from registered import owned  # type: ignore[import-not-found, unused-ignore]  # noqa: E402
from role_matrix import accounts, move_matrix, page, table_matrix  # type: ignore[import-not-found, unused-ignore]  # noqa: E402

TARGET = HOME / "docs" / "role_matrix.md"
SRID = 4548


def main() -> None:
    """Make a database with a row in every table and an account of each role, ask, and write the page."""
    with tempfile.TemporaryDirectory(prefix="lowland-roles-", dir="/tmp") as name:
        folder = Path(name)
        # The server may run as another user.
        folder.chmod(0o755)
        cluster = clusters.locate(folder, env=os.environ | {"LOWLAND_STATE": str(folder / "state")})
        try:
            clusters.up(cluster, durable=False)
            dsn = clusters.dsn(cluster)
            upgrade(dsn, SRID)
            enforce(dsn, folder)
            revision_data.fill(dsn)
            settle_roles(owned(dsn), dsn)
            with accounts(dsn) as people:
                clusters.known(cluster)
                tables, moves = table_matrix(people, owned(dsn)), move_matrix(people, owned(dsn))
            TARGET.write_text(page(tables, moves), encoding="utf-8")
        finally:
            clusters.remove(cluster)


if __name__ == "__main__":
    main()
