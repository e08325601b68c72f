"""What a project has written, and which of its files are read and therefore never replaced."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from lowland_gis.files.outputs import Outputs
from lowland_gis.files.source import located
from lowland_gis.settings import Settings


def outputs_of(folder: Path, settings: Callable[[], Settings]) -> Outputs:
    """Return the outputs of the project in a folder; its settings are read when they are needed."""

    def kept() -> Iterator[Path]:
        # The project file, whatever it is called, and what people keep beside it: mappings, packs, datums.
        yield from folder.glob("*.toml")
        yield from read_by(settings())

    return Outputs(folder.resolve(), kept)


def read_by(settings: Settings) -> Iterator[Path]:
    """Yield the files that the settings name to be read: deliveries, mappings, datums, the rule pack, the package definition."""
    for delivery in settings.delivery:
        yield located(delivery.source, settings.folder)[0]
        yield from (settings.path(name) for name in (delivery.mapping, delivery.datum) if name)
    # A name without a file behind it is that of a shipped one.
    yield from (settings.path(name) for name in (settings.classify.pack, settings.package.definition))
