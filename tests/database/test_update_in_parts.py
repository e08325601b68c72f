"""The update of a year whose parcels come town by town: what is found is what became of them, however the files were cut."""

from __future__ import annotations

import datetime as dt

import geopandas as gpd
import pandas as pd
import pytest

from made_files import box
from two_years import EAST, FIRST, TRUTH, WEST, District, second, today

DAYS = "2023-12-31", "2024-12-31"
# The line between the towns, and where it was moved a year later: more than half of parcel 34 is beyond it by then.
BORDER, LATER = 200, 320
PAPERS = ("notice", "approve", "submit", "review", "file")


def is_east(parcel, border: float = BORDER) -> bool:
    """Whether most of a parcel lies in the eastern town."""
    return parcel.shape.centroid.x < box(border, 0).bounds[0]


def coded(parcels) -> dict:
    """The parcels with the code of their town: that in which most of them lay in the first year."""
    return {f"{EAST if is_east(parcel) else WEST}{name[9:]}": parcel for name, parcel in parcels.items()}


def of(parcels, *, east: bool, border: float = BORDER) -> dict:
    """The parcels of one town."""
    return {name: parcel for name, parcel in parcels.items() if is_east(parcel, border) == east}


ONE, TWO = coded(FIRST), coded(second())
BY_NUMBER = {int(name[-2:]): name for name in {**ONE, **TWO}}


class Parts(District):
    """The district, its parcels by files of their own."""

    def towns(self, day: str, border: float) -> None:
        shapes = [box(-100, -100, border + 100, 900), box(border, -100, 900, 900)]
        self._ingest("town", pd.DataFrame({"XZQDM": [EAST, WEST], "XZQMC": ["东镇", "西镇"]}), shapes, day)

    def parcels(self, parcels, day: str, part: str | None = None) -> str:
        """Deliver parcels by the command; return what it said."""
        file = self.folder / f"宗地-{day}-{part}.gpkg"
        fields = {
            "ZDDM": list(parcels), "RJL": [each.far for each in parcels.values()], "YT": [each.use for each in parcels.values()],
            "ZDMJ": [each.shape.area for each in parcels.values()],
        }  # fmt: skip
        gpd.GeoDataFrame(fields, geometry=[each.shape for each in parcels.values()], crs=4548).to_file(
            file, layer="ZD"
        )
        said = [] if part is None else ["--part", part]
        return self.lowland("ingest", "parcel", f"{file}:ZD", "--as-of", day, *said)

    def judged_for(self, day: str) -> None:
        """Judge what is in force."""
        file = self.folder / "lowland.toml"
        lines = file.read_text(encoding="utf-8").splitlines()
        text = "\n".join(f"as_of = {day}" if line.startswith("as_of") else line for line in lines)
        file.write_text(text + "\n", encoding="utf-8")
        self.judge()

    def decided(self) -> None:
        """File four entries of the first year, and dispose of one."""
        self.file([BY_NUMBER[number] for number in (2, 12, 13, 17)])
        self.lowland(
            "registry", "dispose", BY_NUMBER[12], "--document", self.paper("dispose"), "--on", today() + dt.timedelta(days=1)
        )  # fmt: skip

    def compared(self) -> dict:
        self.lowland("update", "open", "2025")
        return self.found()

    def in_force(self):
        return self.rows(
            "SELECT part, as_of::text FROM land.current_version WHERE layer = 'parcel' ORDER BY 1"
        )


@pytest.fixture
def district(project):
    return Parts(project)


def named(changes) -> set:
    """Changes as the truth has them, and the code of every parcel as it was delivered."""
    told = set()
    for each in changes:
        sides = [
            tuple(each[side].split("、")) if each[side] else () for side in ("old_parcels", "new_parcels")
        ]
        for side, parcels in zip(sides, (ONE, TWO), strict=True):
            assert set(side) <= set(parcels)
        told.add((each["kind"], *(tuple(int(name[-2:]) for name in side) for side in sides), each["cause"]))
    return told


def closes(found) -> None:
    """The balance is 0 of every town and of the whole, and nothing was doubtful."""
    assert {line["residual_m2"] for line in found["balance"]} == {0}
    assert [line["town"] for line in found["balance"]] == ["东镇", "西镇", "合计"]
    assert found["doubts"] == []


def whole(parcels) -> float:
    return sum(each.shape.area for each in parcels.values())


def first_year(district, *, parts: bool) -> None:
    district.towns(DAYS[0], BORDER)
    if parts:
        for code, east in ((EAST, True), (WEST, False)):
            district.parcels(of(ONE, east=east), DAYS[0], code)
    else:
        district.parcels(ONE, DAYS[0])
    district.judged_for(DAYS[0])
    district.decided()
    district.pack(0.7)


def test_a_whole_and_a_year_later_its_towns(district):
    first_year(district, parts=False)
    district.towns(DAYS[1], BORDER)
    for code, east in ((WEST, False), (EAST, True)):
        district.parcels(of(TWO, east=east), DAYS[1], code)
    district.judged_for(DAYS[1])
    found = district.compared()
    assert named(found["changes"]) == TRUTH
    closes(found)
    total = found["balance"][-1]
    assert total["old_m2"] == pytest.approx(whole(ONE), rel=1e-3)
    assert total["new_m2"] == pytest.approx(whole(TWO), rel=1e-3)
    assert total["added_m2"] == pytest.approx(10_000, rel=1e-3)
    assert total["removed_m2"] == pytest.approx(20_000, rel=1e-3)
    district.lowland("update", "close")


def test_towns_and_a_year_later_towns_that_are_cut_otherwise(district):
    """A column of parcels is another town's by now; the files of both years follow the line of their own year."""
    first_year(district, parts=True)
    district.towns(DAYS[1], LATER)
    # First the town that is smaller by now: no parcel is in force twice.
    for code, east in ((WEST, False), (EAST, True)):
        district.parcels(of(TWO, east=east, border=LATER), DAYS[1], code)
    assert district.in_force() == [(EAST, DAYS[1]), (WEST, DAYS[1])]
    district.judged_for(DAYS[1])
    found = district.compared()
    assert named(found["changes"]) == TRUTH
    closes(found)
    east, west, total = found["balance"]
    # Parcels 13 and 18, and 3 and 4 that became 34.
    assert east["moved_in_m2"] == west["moved_out_m2"] == pytest.approx(40_000, rel=1e-3)
    assert (east["moved_out_m2"], total["moved_in_m2"], total["moved_out_m2"]) == (0, 0, 0)
    district.lowland("update", "close")


def test_one_town_is_delivered_and_the_rest_of_the_whole_stays_in_force(district):
    first_year(district, parts=False)
    district.towns(DAYS[1], BORDER)
    district.parcels(of(TWO, east=False), DAYS[1], WEST)
    assert district.in_force() == [(WEST, DAYS[1]), ("rest of the whole", DAYS[0])]
    district.judged_for(DAYS[1])
    found = district.compared()
    # The state is of the day of what came last, and not of the rest of the whole.
    days = district.rows("SELECT before->>'day', after->>'day' FROM registry.annual_update")
    assert days == [DAYS]
    western = {int(name[-2:]) for name in {**of(ONE, east=False), **of(TWO, east=False)}}
    # Rules and decisions change what no file brings.
    wanted = {
        each for each in TRUTH if {*each[1], *each[2]} <= western or each[3] in ("rule_changed", "decision")
    }
    assert len(wanted) < len(TRUTH)
    assert {each[0] for each in wanted} >= {
        "merged",
        "added",
        "renumbered",
        "boundary_drifted",
        "attribute_changed",
    }
    assert named(found["changes"]) == wanted
    closes(found)
    east, west, _ = found["balance"]
    assert east["old_m2"] == east["new_m2"] == pytest.approx(whole(of(ONE, east=True)), rel=1e-3)
    assert (east["added_m2"], east["removed_m2"], east["drift_m2"]) == (0, 0, 0)
    assert west["added_m2"] == pytest.approx(10_000, rel=1e-3)
    district.lowland("update", "close")
    # The other town comes later: it is taken up by the update of the next year.
    district.parcels(of(TWO, east=True), "2025-12-31", EAST)
    district.judged_for("2025-12-31")
    district.lowland("update", "open", "2026")
