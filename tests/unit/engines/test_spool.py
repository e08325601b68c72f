"""Polygons in memory and in a file are the same polygons."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pyarrow as pa
import pytest
import shapely

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.polygons import polygon_rings
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.engines import local
from lowland_gis.engines.spool import Spool
from lowland_gis.errors import InputRefusedError
from scattered import blob, field


def filled(spool: Spool, shapes: list, size: int = 7) -> Spool:
    for start in range(0, len(shapes), size):
        spool.add(rings_of(np.array(shapes[start : start + size], dtype=object)))
    return spool


@pytest.fixture
def layers():
    return [*field(200, 100, 1), blob(500, 100, 3)], [*field(200, 80, 2), blob(900, 150, 4)]


def tabulated(layers, kept_bytes):
    parcels, zones = layers
    with Spool(kept_bytes) as ours, Spool(kept_bytes) as theirs:
        filled(ours, parcels)
        filled(theirs, zones)
        classes = np.arange(len(zones)) % 3
        names = np.array(["a", "b", "c"], dtype=object)
        parts = list(local.tabulated(ours, local.zone_layer(theirs, classes, names), cover=True))
        return parts, local.together(parts, len(parcels))


def test_strips_give_the_same_to_the_bit(layers, monkeypatch):
    one, (whole, cover) = tabulated(layers, 10_000_000)
    monkeypatch.setattr(local, "STRIP_PARCELS", 13)
    strips, (parts, cover_parts) = tabulated(layers, 2_000)
    assert (len(one), len(strips)) == (1, 8)
    for ours, theirs in zip((*whole, *cover), (*parts, *cover_parts), strict=True):
        assert ours.tolist() == theirs.tolist()
    assert sorted(np.concatenate([strip.rows for strip in strips])) == list(range(101))


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kept_bytes", [10_000_000, 2_000])
def test_parcels_come_in_the_order_asked_for_wherever_the_vertices_lie(
    layers, monkeypatch, kept_bytes, threads
):
    """In memory part by part, from a file at once; the figures of each parcel are those of any order."""
    monkeypatch.setattr(tabulate, "CHUNK", 4)
    monkeypatch.setattr(local, "PART_PARCELS", 8)
    _, (found, cover) = tabulated(layers, 10_000_000)
    order = np.random.default_rng(5).permutation(101)
    with Spool(kept_bytes) as ours, Spool(kept_bytes) as theirs:
        filled(ours, layers[0])
        filled(theirs, layers[1])
        layer = local.zone_layer(theirs, np.arange(81) % 3, np.array(["a", "b", "c"], dtype=object))
        parts = list(local.tabulated_in_order(ours, layer, order, cover=True, threads=threads))
    assert len(parts) == (13 if kept_bytes > 2_000 else 1)
    assert np.concatenate([part.rows for part in parts]).tolist() == order.tolist()
    for part in parts:
        assert set(part.overlaps.parcel) <= set(part.rows)
    rows = [row for part in parts for row in zip(*part.overlaps, strict=True)]
    rank = {parcel: place for place, parcel in enumerate(order)}
    assert rows == sorted(zip(*found, strict=True), key=lambda row: (rank[row[0]], row[1]))
    for together, column in zip(cover, zip(*(part.cover for part in parts), strict=True), strict=True):
        assert np.concatenate(column).tolist() == together[order].tolist()


def test_one_layer_in_a_file_is_enough_for_strips(layers):
    with Spool(2_000) as ours, Spool(10_000_000) as theirs:
        filled(ours, layers[0])
        filled(theirs, layers[1])
        assert (ours.in_memory, theirs.in_memory) == (False, True)
        layer = local.zone_layer(theirs, np.zeros(81, dtype=np.int64), np.array(["a"], dtype=object))
        assert len(list(local.strips(ours, layer))) == 1
        assert len(ours.described.xy) == 0


def test_what_threads_write_into_the_room_is_what_was_added(layers):
    """Some lies in the room, some came from elsewhere, and what is too much goes to a file while threads still write."""

    def part(spool, shapes):
        wkb = pa.array(shapely.to_wkb(np.array(shapes, dtype=object), byte_order=1), pa.large_binary())
        return polygon_rings(wkb, deviation=0.001, xy_room=spool.room)[0]

    shapes = layers[0]
    batches = [shapes[start : start + 5] for start in range(0, len(shapes), 5)]
    for kept_bytes in (10_000_000, 5_000):
        with Spool(kept_bytes) as spool, ThreadPoolExecutor(3) as pool:
            for number, rings in enumerate(pool.map(lambda batch: part(spool, batch), batches)):
                spool.add(rings_of(np.array(batches[number], dtype=object)) if number % 4 == 3 else rings)
            assert spool.in_memory == (kept_bytes > 1_000_000)
            found = spool.taken(np.arange(len(shapes)))
            for row, shape in enumerate(shapes):
                start, size = (x[found.shape_ring[row]] for x in (found.ring_start, found.ring_size))
                assert found.xy[start : start + size].tolist() == shapely.get_coordinates(shape).tolist()


def test_nothing_gives_nothing():
    with Spool() as ours, Spool() as theirs:
        layer = local.zone_layer(theirs, np.empty(0, np.int64), np.empty(0, object))
        found, cover = local.together(local.tabulated(ours, layer, cover=True), 0)
    assert [len(column) for column in (*found, *cover)] == [0] * 5


def test_a_full_temporary_folder_is_named(layers, monkeypatch):
    with Spool(2_000) as spool:
        monkeypatch.setattr("tempfile.tempdir", "/dev/full")
        with pytest.raises(InputRefusedError, match="/dev/full cannot hold the vertices"):
            filled(spool, layers[0])
