"""The one question that engines answer: how many m² of each parcel lie in each class of some layers of zones.

A further engine is a class with `answers` in a file of its own, and a line in `named.py`; every specification in `tests/spec` then holds
it. What a layer is made of – a file, a frame, a table, strips of lines – is told by nobody: an engine asks a `Layer` for its polygons.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from lowland_gis.analysis.overlay.rings import Rings
from lowland_gis.analysis.overlay.tabulate import Cover, Overlaps
from lowland_gis.engines.parts import Parts

Rows = npt.NDArray[np.intp]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
# Where the vertices of so many points are to lie.
Room = Callable[[int], Floats]
# How much is done, and of how much where that is known.
Watch = Callable[[int, int | None], None]


def unwatched(_done: int, _of: int | None) -> None:
    """Show no progress."""


class Layer(ABC):
    """Polygons row by row on the plane of the question, valid or left out, which an engine reads once: as rings or as WKB.

    `alone` says that it cannot be read while another layer is.
    """

    alone: bool = False

    @abstractmethod
    def portions(self, room: Room, threads: int) -> Parts[Any, Any]:
        """Return calls that may be made at the same time and read and decode a batch each, vertices into the room; `took` takes what they make."""

    @abstractmethod
    def took(self, done: Any) -> Rings:
        """Return the polygons of what a portion has made; called in the order of the rows."""

    @abstractmethod
    def wkb(self) -> Iterator[pa.Array]:
        """Yield the polygons as WKB batch by batch, null where there is none."""

    def made(self, ready: object) -> None:  # noqa: B027 - most layers have no use for it
        """Take what an engine has made of the zones, which is of use to that engine only, before it asks them."""

    def classes(self) -> Integers:
        """Return the number of each row's class, once all rows were read: asked of zones only."""
        raise TypeError(f"{type(self).__name__} has no classes")


@dataclass(frozen=True)
class Question:
    """Parcels against one or several layers of zones.

    `order` gives the order in which the parcels are wanted, once they and the first layer were read; without it they come as is best. With `cover` the answers tell
    what of each parcel no zone covers, and what zones cover beyond once. `threads` may be used, and the figures are the same with
    any number. `watch` is told how many rows were read, and then how many parcels of all were tabulated.
    """

    parcels: Layer
    layers: Sequence[Layer]
    order: Callable[[], Rows] | None = None
    cover: bool = False
    threads: int = 1
    watch: Watch = unwatched


class Answer(NamedTuple):
    """What was found of some parcels in one layer.

    `layer`: its number in the question; `rows`: positions of the parcels; `area_m2`: their planar areas, NaN where there is no polygon;
    `overlaps`: positions of parcels (among all), numbers of classes and areas, in the order of `rows` and of the classes; what is less than
    a square millimetre is left out. `cover`: of each of the rows, where it was asked for.
    """

    layer: int
    rows: Rows
    area_m2: Floats
    overlaps: Overlaps
    cover: Cover | None


class Engine(Protocol):
    """What answers the question."""

    def answers(self, question: Question) -> Generator[Answer]:
        """Yield the answers layer by layer, each parcel of each layer once; later ones are computed meanwhile.

        Raises:
            InputRefusedError: a layer cannot be read.
            DatabaseError: the engine computes in a database that cannot be reached.
        """
