"""Take up a project's own definitions: all of them are looked at first, and every fault is told at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

from pydantic import TypeAdapter

from lowland_gis.analysis.rules.faults import Fault, fault_lines
from lowland_gis.definitions import (
    check,
    codes,
    fitting,
    judging,
    layer,
    measure,
    plan,
    potential,
    reports,
    states,
    update,
)
from lowland_gis.definitions.legend import OWN_LEGEND, read_legend
from lowland_gis.definitions.own import (
    CODES,
    LAYERS,
    OWN_FOLDER,
    SHIPPED,
    Own,
    own_definitions,
    use,
    using,
)
from lowland_gis.definitions.reading import FOLDER, Model, fitted, parsed, shipped
from lowland_gis.errors import SHOWN_IN_FILES, DefinitionError, listed

# What the folder may hold beside notes of people: these names are read, others that look like them are slips.
_FILES = (
    "measures.toml",
    "checks.toml",
    "legend.toml",
    "states.toml",
    "plan.toml",
    "potential.toml",
    "update.toml",
    "judging.toml",
    "reports.toml",
)
_FOLDERS = ("layers", "codes", "rules", "packages")
_COLUMNS = ("code", "name")
_BULLET = "  - "


def take_up(project: Path) -> Own:
    """Read definitions from here on from a project's folder over the shipped ones; `definitions/legend.toml` is among them.

    Raises:
        DefinitionError: a definition of its own is wrong; with every fault of every file. What was in use stays in use.
    """
    own = own_definitions(project)
    if own != SHIPPED:
        with using(own):
            _refuse_faults(project, own)
    use(own)
    return own


def _refuse_faults(project: Path, own: Own) -> None:
    found = dict(_found(own))
    try:
        read_legend(project)
    except DefinitionError as error:
        if not found:
            raise
        found[OWN_LEGEND.name] = _fault_lines_of(error)
    if not found:
        return
    count = sum(len(faults) for faults in found.values())
    parts = "\n".join(
        f"{OWN_FOLDER}/{name}:\n{listed(lines, shown=SHOWN_IN_FILES)}" for name, lines in found.items()
    )
    raise DefinitionError(
        f"{project / OWN_FOLDER}: {count} fault(s) in {len(found)} file(s) of the project's own definitions, so nothing was run:\n"
        f"{parts}\nMend them and try again."
    )


def _fault_lines_of(error: DefinitionError) -> list[str]:
    """Return the faults that a refusal of one file lists, without what stands around them."""
    lines = [line.removeprefix(_BULLET) for line in str(error).splitlines() if line.startswith(_BULLET)]
    return lines or [str(error)]


@cache
def _found(own: Own) -> Mapping[str, Sequence[str]]:
    """Return the faults of a folder by file, as lines; files without fault are left out."""
    return {name: lines for name, lines in _looked_at(own) if lines}


def _looked_at(own: Own) -> Iterator[tuple[str, list[str]]]:
    folder = own.folder or Path()
    yield from _slips(folder)
    for path in sorted((folder / CODES).glob("*.csv")):
        yield f"{CODES}/{path.name}", _lines(path, _code_list)
    for path in sorted((folder / LAYERS).glob("*.toml")):
        yield f"{LAYERS}/{path.name}", _lines(path, _layer)
    for name, look in (
        (codes.SETS, _sets),
        (measure.FILE, _measures),
        (check.FILE, _checks),
        (states.FILE, states.own_faults),
        (update.FILE, update.own_faults),
        (plan.FILE, plan.own_faults),
        (judging.FILE, judging.own_faults),
        (potential.FILE, potential.own_faults),
        (reports.FILE, reports.own_faults),
    ):
        if own.file(name) is not None:
            yield name, _lines(folder / name, look)


def _slips(folder: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield names that look like one that is read, and are none: what is in them would silently not hold."""
    for place, known in ((".", (*_FILES, *_FOLDERS)), (CODES, ("sets.toml",))):
        for path in sorted((folder / place).glob("*")):
            read = path.name in known or (place == CODES and path.suffix == ".csv")
            fault = Fault("", path.name, None, "nothing of this name is read", known)
            if not read and fault.nearest:
                yield path.relative_to(folder).as_posix(), [str(fault)]


def _lines(path: Path, look: Callable[[Path], Iterable[Fault]]) -> list[str]:
    """Return the faults of a file as lines; a file that cannot be read is one line."""
    try:
        return fault_lines(list(look(path)))
    except DefinitionError as error:
        return [str(error)]


def _layer(path: Path) -> Iterator[Fault]:
    fit = fitted(parsed(path), layer.ADAPTER)
    found, faults = fit
    yield from faults
    if found is None:
        return
    yield from fitting.layer_faults(found, path.stem)
    if path.stem in shipped(LAYERS):
        with using(SHIPPED):
            before = layer.layer_definition(path.stem)
        yield from fitting.kept_faults(found, before)


def _sets(path: Path) -> Iterator[Fault]:
    yield from _each(path, codes.ADAPTER, fitting.set_faults)


def _measures(path: Path) -> Iterator[Fault]:
    yield from _each(path, measure.ADAPTER, fitting.measure_faults)


def _checks(path: Path) -> Iterator[Fault]:
    yield from _each(path, check.ADAPTER, fitting.check_faults)


def _each(
    path: Path, adapter: TypeAdapter[dict[str, Model]], look: Callable[[str, Model], Iterable[Fault]]
) -> Iterator[Fault]:
    """Look at each definition of a file for itself, so that a slip in one hides none in another."""
    for name, content in parsed(path).items():
        fit = fitted({name: content}, adapter)
        found, faults = fit
        yield from faults
        if found is not None:
            yield from look(name, found[name])


def _code_list(path: Path) -> Iterator[Fault]:
    rows, columns = codes.read_csv(path), codes.columns_of(path)
    known = FOLDER / CODES / path.name
    needed = codes.columns_of(known) if known.is_file() else _COLUMNS
    yield from fitting.code_faults(rows, columns, needed)
