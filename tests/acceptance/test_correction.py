"""A town's worth of parcels is corrected: told before it is in force, the frozen unit corrected, the package built again; by commands.

The tests are one journey, in their order.
"""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
import shapely
from shapely import affinity

from acceptance.test_two_deliveries import District, district


@dataclass
class Journey:
    """The demo with its units frozen, one of them with the three of its parcels that a new delivery of its town corrects."""

    place: District
    number: str
    town: str
    parcels: list[str]
    source: Path
    delivered: int
    freezing: list[str] = field(default_factory=list)

    @property
    def withdrawn(self) -> str:
        """The parcel that is withdrawn."""
        return self.parcels[0]

    @property
    def split(self) -> str:
        """The parcel that is split in two halves."""
        return self.parcels[1]

    @property
    def halves(self) -> list[str]:
        """What the parcel is split into."""
        return [f"{self.split[:-2]}{end}" for end in ("98", "99")]

    @property
    def moved(self) -> str:
        """The parcel that loses a strip to the road."""
        return self.parcels[2]

    @property
    def told(self) -> tuple[str, ...]:
        """What is said of the frozen unit."""
        return (
            f"{self.number}: {self.withdrawn} is no parcel any more",
            f"{self.number}: {self.split} is no parcel any more",
            f"{self.number}: {self.moved} has another outline",
        )

    def history(self):
        """Return every entry of the frozen units."""
        return json.loads(self.place.lowland("unit", "list", "--all", "--json").out)

    def frozen(self):
        """Return the frozen units in force, by their numbers."""
        newest = {row["number"]: row for row in self.history()}
        return {number: row for number, row in newest.items() if row["state"] == "frozen"}

    def filed(self, layer):
        """Return a layer of the package."""
        return gpd.read_file(next((self.place.folder / "package").rglob(f"{layer}.shp")))

    def package(self):
        """Build the package."""
        return self.place.lowland("package", "build", str(self.place.folder / "package"))


@pytest.fixture(scope="module")
def journey(demo, cluster, tmp_path_factory):
    """The demo on a database of its own, with the units of the flow frozen and filed."""
    folder = tmp_path_factory.mktemp("correction")
    with district(demo, cluster, folder) as place:
        assert place.lowland("unit", "freeze", "--draft", "flow").code == 0
        number, town, parcels = place.rows(
            "SELECT number, town_code, parcels FROM registry.unit ORDER BY jsonb_array_length(parcels) DESC, number LIMIT 1"
        )[0]
        made = Journey(place, number, town, parcels, folder / "镇.gpkg", 0)
        assert made.package().code == 0
        made.delivered = deliver(made)
        yield made


def deliver(journey):
    """Write the parcels of the town as the bureau has them now, and return how many it had."""
    rows = journey.place.rows(
        "SELECT attributes, ST_AsBinary(geom) FROM land.parcel WHERE town_code = %s ORDER BY row_no",
        journey.town,
    )
    received = gpd.GeoDataFrame(
        [row[0] for row in rows], geometry=shapely.from_wkb([row[1] for row in rows]), crs=4548
    )
    kept = received[~received["ZDDM"].isin([journey.withdrawn, journey.split])].copy()
    line = kept["ZDDM"] == journey.moved
    kept.loc[line, "geometry"] = [affinity.scale(shape, 0.9, 1.0) for shape in kept.geometry[line]]
    old = received[received["ZDDM"] == journey.split].iloc[0]
    halves = gpd.GeoDataFrame(
        [{**old.drop("geometry"), "ZDDM": code} for code in journey.halves],
        geometry=cut(old["geometry"]),
        crs=4548,
    )
    pd.concat([kept, halves], ignore_index=True).to_file(journey.source, engine="pyogrio")
    return len(received)


def cut(shape):
    """Return the western and the eastern half of a shape."""
    west, south, east, north = shape.bounds
    middle = (west + east) / 2
    boxes = ((west, south, middle, north), (middle, south, east, north))
    return [shape.intersection(shapely.box(*box)) for box in boxes]


def test_the_difference_is_told_before_it_is_in_force(journey):
    place, newest = journey.place, "SELECT max(version_id) FROM land.layer_version"
    before = place.rows(newest)
    command = ("ingest", "parcel", str(journey.source), "--part", journey.town)
    for arguments, kept in (((*command, "--dry-run"), False), (command, True)):
        said = place.lowland(*arguments)
        assert said.code == 0, said.err
        assert (place.rows(newest) != before) == kept
        assert f"it takes the place of {journey.delivered:,} records of the whole delivery" in said.err
        assert "told by the largest share in the town layer" in said.err
        assert f"2 added ({', '.join(journey.halves)}), 2 gone (" in said.err
        assert journey.withdrawn in said.err
        assert "1 changed (1 in outline)" in said.err


def test_readers_say_what_became_of_the_frozen_unit_before_it_is_judged_anew(journey):
    said = journey.place.lowland("unit", "list")
    assert said.code == 1
    assert all(words in said.err for words in journey.told), said.err
    assert all(f"{half} (" in said.err for half in journey.halves)


def test_the_flow_goes_as_far_as_the_package_which_is_refused_with_what_to_type(journey):
    said = journey.place.lowland("run", "--from", "tabulate")
    assert said.code == 3, said.err
    assert "No package was built, because Frozen units are out of date" in said.err
    assert journey.number in said.err.split("lowland unit withdraw ")[1].split(" --reason TEXT")[0].split()
    for refused in (said, journey.package(), journey.place.lowland("unit", "freeze", "--draft", "flow")):
        assert refused.code == 3, refused.err
        assert all(words in refused.err for words in journey.told), refused.err


def test_what_is_drawn_over_its_ground_takes_its_place(journey):
    place, number = journey.place, journey.number
    rest = [other for other, row in journey.frozen().items() if row["touched"] and other != number]
    if rest:
        assert place.lowland("unit", "withdraw", *rest, "--reason", "宗地已变更").code == 0
    units = place.rows(
        "SELECT DISTINCT unit_id FROM result.member WHERE run_id = (SELECT max(run_id) FROM result.draft) AND unit_id IS NOT NULL"
        " AND parcel_id = ANY(%s) ORDER BY 1",
        [*journey.parcels, *journey.halves],
    )
    call = ["unit", "freeze", "--draft", "flow", *(word for (unit,) in units for word in ("--unit", unit))]
    said = place.lowland(*call, "--replaces", number)
    journey.freezing = [*call, "--replaces", number]
    if said.code == 2:
        # The units of now hold parcels of other frozen ones as well; the refusal says which.
        others = sorted({*re.findall(r"--replaces (\S+)", said.err)} - {number})
        journey.freezing += [word for other in others for word in ("--replaces", other)]
        said = place.lowland(*journey.freezing)
    assert said.code == 0, said.err
    assert "their place is taken: " in said.err
    now = journey.frozen()
    assert not any(row["touched"] for row in now.values())
    successors = [other for other, row in now.items() if number in row["replaces"].split()]
    assert successors
    entries = [row for row in journey.history() if row["number"] == number]
    assert [(row["state"], row["reason"]) for row in entries] == [
        ("frozen", None),
        ("withdrawn", f"replaced by {', '.join(sorted(successors))}"),
    ]


def test_the_package_is_built_again_with_the_new_unit_and_the_new_parcels(journey):
    said = journey.package()
    assert said.code in (0, 1), said.err
    # The other frozen units stay on the verdicts of before, which is said.
    assert ("rest on the classification run" in said.err) == (said.code == 1)
    numbers = set(journey.filed("ZKFDY")["DYBH"])
    assert numbers == set(journey.frozen())
    assert journey.number not in numbers
    assert not {journey.withdrawn, journey.split} & set(journey.filed("DXYDTB")["ZDDM"])
    manifest = json.loads(next(journey.place.folder.rglob("manifest.json")).read_text(encoding="utf-8"))
    current = journey.place.rows(
        "SELECT version_id FROM land.layer_version WHERE layer = 'parcel' AND part IS NOT NULL ORDER BY 1"
    )
    cited = [item for item in manifest["provenance"]["deliveries"] if item.startswith("parcel")]
    assert [item.rpartition(" v")[2] for item in cited] == [str(version) for (version,) in current]


def test_typed_again_nothing_changes(journey):
    place = journey.place
    counts = "SELECT (SELECT count(*) FROM registry.unit), (SELECT count(*) FROM land.layer_version)"
    before = place.rows(counts)
    for again in (
        journey.freezing,
        ["unit", "withdraw", journey.number, "--reason", "again"],
        ["ingest", "parcel", str(journey.source), "--part", journey.town],
    ):
        said = place.lowland(*again)
        assert said.code == 0, said.err
    assert place.rows(counts) == before
