"""Overlaps in this process: polygons in memory, or strip by strip where they are too many for it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from itertools import chain, islice
from typing import Any, NamedTuple

import numpy as np

from lowland_gis.analysis.overlay import tabulate
from lowland_gis.analysis.overlay.crew import done_in_order
from lowland_gis.analysis.overlay.tabulate import Cover, Integers, Objects, Overlaps, no_overlaps
from lowland_gis.analysis.overlay.wkb import rings_of
from lowland_gis.engines.base import Answer, Question, Rows, Watch
from lowland_gis.engines.base import Layer as Polygons
from lowland_gis.engines.parts import Outcome, Portion, in_file_order
from lowland_gis.engines.spool import Spool

# So many parcels are tabulated at a time where the vertices lie in a file.
STRIP_PARCELS = 50_000

# So many parcels make a part that is handed on while the next ones are computed.
PART_PARCELS = 5_000

# So many portions wait for a thread or for their turn: enough for the others while one puts a layer in order.
_WAITING = 12
# No portion makes this: it stands after the last one of a layer.
_END: Outcome[Any] = Outcome(-1, -1)

Progress = Callable[[int], None]


class Local:
    """The engine that computes in this process."""

    def __init__(self, _database: Callable[[], str]) -> None:
        """Ask for no database."""

    def answers(self, question: Question) -> Generator[Answer]:
        """Yield the answers layer by layer; the parcels are read once, beside the first layer."""
        with ExitStack() as stack:
            parcels = _Reading(question.parcels, stack.enter_context(Spool()))
            zones = [_Reading(layer, stack.enter_context(Spool())) for layer in question.layers[:1]]
            # The zones come first: while they are put in order here, the threads read the parcels.
            read = stack.enter_context(closing(_read([*zones, parcels], question)))
            layers = [_asked(next(read)) for _ in zones]
            next(read)
            order = None if question.order is None else question.order()
            for number, layer in enumerate(question.layers):
                with ExitStack() as of_layer:
                    if number == 0:
                        ready = layers.pop()
                    else:
                        reading = _Reading(layer, of_layer.enter_context(Spool()))
                        ready = _asked(next(of_layer.enter_context(closing(_read([reading], question)))))
                    found = _parts(parcels.spool, ready, order, question)
                    yield from _answers(number, parcels.spool, of_layer.enter_context(closing(found)))


@contextmanager
def zones_held(layer: Polygons, *, threads: int) -> Iterator[Layer]:
    """Yield zones that are read once and asked as often as wanted, whatever is asked of them (`tabulated`)."""
    with Spool() as spool:
        question = Question(layer, [layer], threads=threads)
        with closing(_read([_Reading(layer, spool)], question)) as read:
            yield _asked(next(read))


class _Reading(NamedTuple):
    """A layer and the spool that its polygons go to."""

    layer: Polygons
    spool: Spool


def _asked(reading: _Reading) -> Layer:
    """Return zones that were read, ready to be asked."""
    ready = zone_layer(reading.spool, reading.layer.classes(), np.empty(0, dtype=object))
    reading.layer.made(ready)
    return ready


def _parts(parcels: Spool, layer: Layer, order: Rows | None, question: Question) -> Generator[Part]:
    cover, threads = question.cover, question.threads
    progress = _counted(len(parcels.described.box), question.watch)
    if order is None:
        yield from tabulated(parcels, layer, cover=cover, threads=threads, progress=progress)
    else:
        yield from tabulated_in_order(parcels, layer, order, cover=cover, threads=threads, progress=progress)


def _answers(number: int, parcels: Spool, parts: Iterator[Part]) -> Iterator[Answer]:
    area = parcels.described.area
    for part in parts:
        yield Answer(number, part.rows, area[part.rows], part.overlaps, part.cover)


def _counted(of: int, watch: Watch) -> Progress:
    """Return what is told of so many more, and tells how many they are together."""
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        watch(done, of)

    return more


def _read(readings: Sequence[_Reading], question: Question) -> Generator[_Reading]:
    """Yield layers as soon as they are read; meanwhile the threads go on with the next one, where it can be read beside."""
    if len(readings) > 1 and any(each.layer.alone for each in readings):
        for each in readings:
            yield from _read([each], question)
        return
    threads = question.threads
    portions = [each.layer.portions(each.spool.room, threads) for each in readings]

    def decoding() -> None:
        rings_of(np.empty(0, dtype=object))

    def summing() -> None:
        tabulate.ready(cover=question.cover)

    # Machine code is loaded by one thread at a time, while the others read or, for the second, put the zones in order.
    loads: tuple[Portion[Any], ...] = (decoding, summing)
    calls = chain.from_iterable(
        chain([load], some, [_end]) for load, some in zip(loads, portions, strict=False)
    )
    rows = 0
    with ExitStack() as stack:
        # Closed before what is read is, which the threads may still be at.
        done = stack.enter_context(
            closing(done_in_order(calls, _done, threads=threads, held=threads + _WAITING))
        )
        for some in portions:
            stack.callback(some.close)
        for each in readings:
            for batch in in_file_order(iter(partial(next, done), _END)):
                rings = each.layer.took(batch)
                each.spool.add(rings)
                rows += len(rings.box)
                question.watch(rows, None)
            yield each


def _end() -> Outcome[Any]:
    """Return what tells that a layer has no more portions."""
    return _END


def _done(portion: Portion[Any]) -> Outcome[Any] | None:
    return portion()


class Layer(NamedTuple):
    """Zones, ready to be asked: `classes` number those of each zone among `names`, which are sorted.

    `whole` is None where vertices lie in a file: then the zones of each strip are put in order by themselves.
    """

    zones: Spool
    classes: Integers
    names: Objects
    whole: tabulate.Zones | None


class Part(NamedTuple):
    """What was found of some parcels: their rows, their overlaps (positions among all parcels), and how they are covered."""

    rows: Rows
    overlaps: Overlaps
    cover: Cover | None


def zone_layer(zones: Spool, classes: Integers, names: Objects) -> Layer:
    """Return zones ready to be asked; the work can be done before parcels are there."""
    whole = tabulate.zone_layer(zones.described, classes, names) if zones.in_memory else None
    return Layer(zones, classes, names, whole)


def tabulated(
    parcels: Spool,
    layer: Layer,
    *,
    order: Rows | None = None,
    cover: bool = False,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Iterator[Part]:
    """Yield the areas of parcels in every class of a layer part by part, each parcel once, while the next ones are computed.

    In each part the overlaps are in the order of its rows and the classes. The parcels come in `order` (as they came without
    one) where all is in memory, else in strips from south to north; the figures are the same. `cover` asks for what no zone
    covers, and what zones cover more than once.
    """
    for some in strips(parcels, layer, order):
        found = tabulate.overlaps_in_turn(
            parcels.taken(some),
            _zones_for(layer, parcels, some),
            cover=cover,
            threads=threads,
            progress=progress,
        )
        for rows in _split(some):
            chunks = islice(found, -(-len(rows) // tabulate.CHUNK))
            overlaps, covered = tabulate.joined(chunks, cover=cover)
            yield Part(rows, overlaps._replace(parcel=some[overlaps.parcel]), covered)


def _split(rows: Rows) -> Iterator[Rows]:
    """Yield the rows of parts, whole chunks: the last ones smaller and smaller, since nothing is computed while the very last is written."""
    while len(rows):
        half = -(-len(rows) // (2 * tabulate.CHUNK)) * tabulate.CHUNK
        part = min(PART_PARCELS, max(half, 2 * tabulate.CHUNK))
        yield rows[:part]
        rows = rows[part:]


def tabulated_in_order(
    parcels: Spool,
    layer: Layer,
    order: Rows,
    *,
    cover: bool = False,
    threads: int = 1,
    progress: Progress = lambda _: None,
) -> Generator[Part]:
    """Yield the parts of `tabulated` with the parcels in an order, wherever the vertices lie.

    Where they lie in a file there is one part, after all was computed.
    """
    parts = tabulated(parcels, layer, order=order, cover=cover, threads=threads, progress=progress)
    if _in_memory(parcels, layer):
        yield from parts
        return
    found, covered = together(parts, len(order))
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    by_rank = np.argsort(rank[found.parcel], kind="stable")
    yield Part(
        order,
        Overlaps(found.parcel[by_rank], found.klass[by_rank], found.area_m2[by_rank]),
        None if covered is None else Cover(*(column[order] for column in covered)),
    )


def together(found: Iterable[Part], parcels: int) -> tuple[Overlaps, Cover | None]:
    """Return the parts as one, in the order of parcels (as they came) and classes."""
    parts = list(found)
    columns = zip(no_overlaps(), *(part.overlaps for part in parts), strict=True)
    parcel, klass, area = map(np.concatenate, columns)
    order = np.argsort(parcel, kind="stable")
    covers = [(part.rows, part.cover) for part in parts if part.cover is not None]
    cover = Cover(np.zeros(parcels), np.zeros(parcels)) if covers or not parts else None
    for rows, covered in covers:
        for whole, some in zip(cover or (), covered, strict=True):
            whole[rows] = some
    return Overlaps(parcel[order], klass[order], area[order]), cover


def strips(parcels: Spool, layer: Layer, order: Rows | None = None) -> Iterator[Rows]:
    """Yield the parcels of one strip from south to north at a time, each parcel once; all in their order where all is in memory."""
    box = parcels.described.box
    if _in_memory(parcels, layer):
        yield np.arange(len(box)) if order is None else order
        return
    there = np.flatnonzero(~np.isnan(box[:, 1]))
    northward = there[np.argsort(box[there, 1], kind="stable")]
    for start in range(0, len(northward), STRIP_PARCELS):
        yield np.sort(northward[start : start + STRIP_PARCELS])


def _zones_for(layer: Layer, parcels: Spool, some: Rows) -> tabulate.Zones:
    """Return the zones whose boxes reach into the strip of some parcels, or all where all are at hand."""
    if layer.whole is not None:
        return layer.whole
    box, zone_box = parcels.described.box[some], layer.zones.described.box
    south, north = box[:, 1].min(initial=np.inf), box[:, 3].max(initial=-np.inf)
    met = np.flatnonzero((zone_box[:, 1] < north) & (zone_box[:, 3] > south))
    return tabulate.zone_layer(layer.zones.taken(met), layer.classes[met], layer.names)


def _in_memory(parcels: Spool, layer: Layer) -> bool:
    return parcels.in_memory and layer.whole is not None
