"""A small district of low-efficiency parcels, ready to be drawn into units."""

import geopandas as gpd
import psycopg

from lowland_gis.pipeline.evidence.measure import measure
from lowland_gis.pipeline.intake.ingest import ingest
from lowland_gis.pipeline.overlaps.tabulate import tabulate
from lowland_gis.pipeline.verdicts.classify import classify
from lowland_gis.settings import DeliverySettings
from made_files import box, write_parcels

# Three parcels side by side; the third lies in the red line where that is delivered.
FIRST, SECOND, THIRD = (f"120113100001GB0000{number}" for number in range(1, 4))
PARCELS = {FIRST: box(0, 0, 150, 100), SECOND: box(150, 0, 150, 100), THIRD: box(300, 0, 150, 100)}
ZONES = {
    "eco_redline": box(300, 0, 150, 100),
    "farmland": box(0, 5_000),
    "development_boundary": box(-50, -50, 900, 900),
}


def deliver(project, layer, shape, **columns):
    frame = gpd.GeoDataFrame({"BSM": ["1"], **columns}, geometry=[shape], crs=4548)
    path = project.settings.folder / f"{layer}.gpkg"
    frame.to_file(path, layer=layer)
    ingest(project, DeliverySettings(layer=layer, source=f"{path}:{layer}"))


def ready(project, *layers, town=True):
    """Deliver parcels, a town and some layers, and have every parcel low-efficiency."""
    path = write_parcels(project.settings.folder / "宗地.shp", PARCELS)
    ingest(project, DeliverySettings(layer="parcel", source=str(path)))
    if town:
        deliver(project, "town", box(-100, -100, 2_000, 2_000), XZQDM="120113100", XZQMC="试验镇")
    for layer in layers:
        deliver(project, layer, ZONES[layer])
    tabulate(project)
    measure(project)
    run = classify(project)
    with psycopg.connect(project.dsn) as connection:
        connection.execute(
            "UPDATE result.verdict SET answer = 'industrial', rule = 'x' WHERE run_id = %s AND question = 'kind'",
            [run.run_id],
        )
    return project
