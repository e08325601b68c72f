"""Begin with a delivery while the libraries are still being loaded: its digest, its encoding and its first batches come meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from lowland_gis.files.consents import NONE, Consents
from lowland_gis.files.encoding import source_encoding
from lowland_gis.files.source import Source, opened
from lowland_gis.pipeline.threads.ahead import ahead

if TYPE_CHECKING:
    from lowland_gis.files.batches import Received

# Loading the libraries takes as long as reading so many batches; they are 50 MB of a survey layer.
_BATCHES = 8


@dataclass(frozen=True)
class Begun:
    """A source and what is being found out about it; `digest` and `received` wait for the answer, and raise what it raised."""

    source: Source
    digest: Callable[[], str]
    received: Callable[[], Received]


@contextmanager
def begun(source: str, folder: Path, encoding: str | None, consents: Consents = NONE) -> Iterator[Begun]:
    """Yield the source that `file` or `file:layer` names, with its digest and its batches under way.

    `encoding` is taken for its text if every byte fits it; `consents` are what the bureau answered. A raster has no batches: `received` raises.

    Raises:
        InputRefusedError: as `opened`.
    """
    with ExitStack() as stack:
        found = stack.enter_context(opened(source, folder))
        arriving = stack.enter_context(ExitStack())
        pool = ThreadPoolExecutor(max_workers=1)
        # Leaving goes backwards: the thread ends before what it has opened is closed, and a zip's folder goes away last. On one stack
        # for both, leaving could close the file between the opening and the first read, which then reads memory that is gone.
        stack.callback(pool.shutdown, cancel_futures=True)
        digest = pool.submit(lambda: found.sha256)
        batches = pool.submit(_received, found, encoding, consents, arriving)
        yield Begun(found, digest.result, batches.result)


def _received(source: Source, encoding: str | None, consents: Consents, stack: ExitStack) -> Received:
    decided = source_encoding(source, encoding)
    # Here and not above: whoever begins has not loaded any of this yet.
    from lowland_gis.files.read import received

    arrived = stack.enter_context(received(source, encoding=decided or encoding, consents=consents))
    return replace(arrived, batches=stack.enter_context(ahead(arrived.batches, _BATCHES)))
