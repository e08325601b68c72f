"""SedonaDB: its spatial join, area of the intersection, GROUP BY – one statement from GeoParquet to Parquet.

Tried as well and slower or the same: CASE ST_CoveredBy, parcels first, every mode of preparing, the library Tg.
"""

import sedonadb
from measured import Arguments, measured

STATEMENT = """
SELECT p.parcel_id, z.code, sum(ST_Area(ST_Intersection(p.geometry, z.geometry))) AS area_m2
FROM z JOIN p ON ST_Intersects(p.geometry, z.geometry)
GROUP BY p.parcel_id, z.code
"""


def tabulate(arguments: Arguments) -> None:
    """Write the table by one statement."""
    session = sedonadb.connect()
    session.sql(f"SET datafusion.execution.target_partitions = {arguments.threads}").execute()
    session.read_parquet(arguments.parcels).to_view("p")
    session.read_parquet(arguments.zones).to_view("z")
    session.sql(STATEMENT).to_parquet(arguments.output)


measured(tabulate)
