"""Propose a project from a bureau's folder: look through it, decide what each file is, look again as it would be ingested."""

from __future__ import annotations

import datetime as dt
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lowland_gis.analysis.geometry.plane import DEFAULT_CRS
from lowland_gis.definitions.layer import layer_definition
from lowland_gis.definitions.mapping import as_toml
from lowland_gis.definitions.mapping_form import with_blanks
from lowland_gis.definitions.measure import measures
from lowland_gis.definitions.rule_pack import rule_pack
from lowland_gis.errors import UsageError
from lowland_gis.pipeline.base.project_text import Block
from lowland_gis.pipeline.base.telling import Tell, silent
from lowland_gis.pipeline.intake import proposal as decide
from lowland_gis.pipeline.intake.bureau_folder import Seen, look_at, look_through
from lowland_gis.pipeline.intake.inspect import Options
from lowland_gis.settings import ClassifySettings, DelineateSettings, DeliverySettings

MAPPINGS = "mappings"
_SHOWN = 3


@dataclass(frozen=True)
class Given:
    """What the person at the terminal knows already; None where the files are to say it."""

    crs: str | None
    code: str | None
    today: dt.date


@dataclass(frozen=True)
class Proposed:
    """A file that was taken for a layer: what lowland.toml says of it, and in words what a person has to correct.

    `mapping` is the text of its mapping file, `n_known` of its `n_fields` are fields of the layer.
    """

    shown: str
    block: Block
    n_rows: int
    n_fields: int
    n_known: int
    corrections: tuple[str, ...]
    mapping: str | None = None

    @property
    def state(self) -> str:
        """Return in one word how far it is: ready, to check, to mend, or left out."""
        if self.block.off:
            return "left out 未采用"
        return "ready 可用" if not self.corrections else "correct 待改"


@dataclass(frozen=True)
class Proposal:
    """All that is proposed; `unknown` are layers that fit none of ours, as they could be named.

    `unread` are these and the files that are not read, each with the reason, `missing` our layers with what stays unknown without
    them.
    """

    plane: str
    district: decide.District
    proposed: tuple[Proposed, ...]
    unknown: tuple[Block, ...]
    unread: tuple[tuple[str, str], ...]
    missing: tuple[tuple[str, str], ...]
    doubts: tuple[str, ...]


def propose(folder: Path, home: Path, given: Given, *, tell: Tell = silent) -> Proposal:
    """Look through a folder and propose deliveries for a project at `home`; nothing is written.

    Raises:
        InputRefusedError: the folder cannot be read, or holds the files of two districts.
        UsageError: nothing in it says which plane the project is to have, or there are no data in it.
    """
    own = frozenset((home / part).resolve() for part in ("out", MAPPINGS))
    looked = look_through(folder, given.crs or DEFAULT_CRS, leave_out=own, tell=tell)
    if not looked.seen:
        reasons = "".join(f"\n  - {shown}: {reason}" for shown, reason in looked.unread[:5])
        raise UsageError(f"{folder}: holds no data that are read. Name another folder.{reasons}")
    plane, note = decide.plane_of(looked.seen, str(folder), given.crs)
    choices = _choices(looked.seen)
    taken = [_again(one, choices[one.shown], plane, tell) for one in looked.seen if one.shown in choices]
    district = decide.district_of([one.seen for one in taken], str(folder), given.code)
    proposed = tuple(_proposed(taken, district, home, plane, given.today))
    unknown = [one for one in looked.seen if one.shown not in choices]
    doubts = [*([] if note is None else [note]), *district.doubts]
    return Proposal(
        plane,
        district,
        proposed,
        tuple(_blank(one, home) for one in unknown if one.found.columns),
        tuple(sorted([*looked.unread, *((one.shown, _unknown(one)) for one in unknown)])),
        tuple(_missing({one.block.delivery.layer for one in proposed if not one.block.off})),
        tuple(doubts),
    )


def _choices(seen: Sequence[Seen]) -> dict[str, decide.Choice]:
    """Return which layer each file is taken for; where no file makes parcels, the largest unknown polygon layer is tried."""
    choices = {
        one.shown: choice
        for one in seen
        if (choice := decide.chosen(one.found) or decide.by_name(one)) is not None
    }
    if not any(choice.key == "parcel" for choice in choices.values()):
        most = decide.most_polygons(one for one in seen if one.shown not in choices)
        if most is not None:
            choices[most.shown] = decide.Choice(
                "parcel", doubt="no field is known; it has the most polygons, and no other file makes parcels"
            )
    return choices


def _unknown(one: Seen) -> str:
    names = [column.name for column in one.found.columns]
    if not names:
        return (one.found.refusals or ["it has no fields, so nothing tells what it is"])[0]
    some = ", ".join(names[:6]) + (" …" if len(names) > 6 else "")  # noqa: PLR2004 - as many as one line holds
    return (
        f"its fields make no layer ({decide.geometry_kind(one.found)}, {one.found.n_rows:,} records: {some})"
    )


def _blank(one: Seen, home: Path) -> Block:
    """Return the delivery of a file that fits no layer, as a comment in which the layer is to be named."""
    delivery = DeliverySettings(
        layer="LAYER", source=_from(home, one.place), mapping=f"{MAPPINGS}/LAYER.toml"
    )
    return Block(delivery, (f"{one.shown}: {_unknown(one)}. Name the layer and its mapping.",), off=True)


@dataclass(frozen=True)
class _Taken:
    """A file, the layer that it is taken for, how it looks as ingested, and the mapping that it may need."""

    seen: Seen
    choice: decide.Choice
    last: Seen
    mapping: str | None
    missing: tuple[str, ...]
    doubts: tuple[str, ...]


def _again(one: Seen, choice: decide.Choice, plane: str, tell: Tell) -> _Taken:
    """Look at a file as it would be ingested: as its layer, in the project's plane, with the fields that are guessed."""
    system = decide.system_of(one.found, plane)
    options = Options(plane=plane, layer=choice.key, src_crs=system)
    if choice.key != one.found.chosen or options.plane != one.options.plane or system is not None:
        one = _looked_at(one, options, tell)
    doubts = [] if choice.doubt is None else [choice.doubt]
    if system is not None:
        doubts.append(
            f"it states no coordinate system; its coordinates can be {system}, but the datum is never visible: ask the sender"
        )
    mapping = one.found.mapping(Path(one.shown).parent.name or Path(one.place).parent.name)
    missing = _not_found(one, choice.key)
    if choice.key == "raster" or mapping is None or not (mapping.rename or missing):
        return _Taken(one, choice, one, None, (), tuple(doubts))
    fit = one.found.fit
    guessed = [match for match in (fit.matches if fit else ()) if not match.certain]
    notes = {match.received: f"proposed: {match.why}" for match in guessed}
    text = with_blanks(as_toml(mapping, notes), one.found.not_taken, one.found.wanted)
    doubts += [
        f"{match.received} is taken for {match.standard} ({match.why}): check it in the mapping"
        for match in guessed
    ]
    last = _looked_at(one, replace(options, mapping=mapping), tell) if mapping.rename else one
    return _Taken(one, choice, last, text, _not_found(last, choice.key), tuple(doubts))


def _looked_at(one: Seen, options: Options, tell: Tell) -> Seen:
    tell(f"look at {one.shown} as {options.layer}")
    return look_at(one.place, one.shown, options)[0]


def _not_found(one: Seen, key: str) -> tuple[str, ...]:
    """Return the required fields that no column stands for, by their names and titles."""
    if one.found.fit is not None:
        guessed = {match.standard for match in one.found.fit.matches}
        return tuple(text for text in one.found.fit.missing if text.split()[0] not in guessed)
    return tuple(f"{field.name} {field.title}" for field in layer_definition(key).field if field.required)


def _proposed(
    taken: Sequence[_Taken], district: decide.District, home: Path, plane: str, today: dt.date
) -> Iterator[Proposed]:
    """Yield what is proposed, layer by layer, parcels first; within a layer the parts in the order of their paths."""
    groups: dict[str, list[_Taken]] = defaultdict(list)
    for one in taken:
        groups[one.choice.key].append(one)
    for key in sorted(groups, key=lambda key: (key != "parcel", key)):
        out = _left_out(groups[key], district, plane, today)
        kept = [one for one in groups[key] if one.seen.shown not in out]
        parts = dict(
            zip(
                (one.seen.shown for one in kept),
                decide.part_names([one.seen.shown for one in kept]),
                strict=True,
            )
        )
        mappings = _mapping_names(key, kept, parts)
        for one in groups[key]:
            part = parts.get(one.seen.shown) if len(kept) > 1 else None
            yield _one(one, part, out.get(one.seen.shown), mappings.get(one.seen.shown), home, today)


def _mapping_names(key: str, kept: Sequence[_Taken], parts: Mapping[str, str]) -> dict[str, str]:
    """Return the mapping file of each delivery that needs one; those whose fields are the same share it."""
    forms: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for one in kept:
        if one.mapping is not None:
            forms[tuple(column.name for column in one.seen.found.columns)].append(one.seen.shown)
    names: dict[str, str] = {}
    for shown in forms.values():
        name = key if len(forms) == 1 else f"{key} {parts[shown[0]].replace('/', ' ')}"
        names |= dict.fromkeys(shown, f"{MAPPINGS}/{name}.toml")
    return names


def _left_out(
    group: Sequence[_Taken], district: decide.District, plane: str, today: dt.date
) -> dict[str, str]:
    """Return the files of a layer that are not taken, each with the reason: another district, a copy, another edition."""
    out = {
        one.seen.shown: f"its codes are of another district ({district.left_out[one.seen.shown]})"
        for one in group
        if one.seen.shown in district.left_out
    }
    best_first = sorted(
        (one for one in group if one.seen.shown not in out),
        key=lambda one: (
            bool(_refusals(one)),
            -(decide.day_of(one.seen, today)[0] or dt.date.min).toordinal(),
            -one.last.found.n_rows,
            one.seen.shown,
        ),
    )
    kept: list[_Taken] = []
    for one in best_first:
        reason = next((text for other in kept if (text := _double(one, other, plane))), None)
        if reason is None:
            kept.append(one)
        else:
            out[one.seen.shown] = reason
    return out


def _double(one: _Taken, other: _Taken, plane: str) -> str | None:
    if decide.same_content(one.last.found, other.last.found):
        return f"has the same records as {other.seen.shown}"
    if decide.same_land(one.last.found, other.last.found, plane):
        return (
            f"lies over the land of {other.seen.shown}: another edition, or else give each a part of its own"
        )
    return None


def _refusals(one: _Taken) -> list[str]:
    """Return why ingest would refuse it for other reasons than fields that a mapping can name."""
    found = one.last.found
    if one.missing and (found.used_crs is not None or decide.geometry_kind(found) == "table"):
        return []
    return found.refusals


def _one(
    one: _Taken, part: str | None, reason: str | None, mapping: str | None, home: Path, today: dt.date
) -> Proposed:
    found, key = one.last.found, one.choice.key
    refusals = [] if reason else _refusals(one)
    corrections = [reason] if reason else [*one.doubts, *map(_line, refusals), *_fields_to_name(one, mapping)]
    day, by = (None, "") if layer_definition(key).as_of else decide.day_of(one.seen, today)
    delivery = DeliverySettings(
        layer=key,
        source=_from(home, one.seen.place),
        part=part,
        as_of=day,
        encoding=_encoding(one),
        src_crs=one.last.options.src_crs,
        mapping=mapping,
    )
    fit = one.seen.found.fit
    return Proposed(
        one.seen.shown,
        Block(delivery, tuple(_notes(one, by, corrections)), off=bool(reason or refusals)),
        found.n_rows,
        len(one.seen.found.columns),
        len(fit.matches) if fit else 0,
        tuple(corrections),
        one.mapping if mapping is not None else None,
    )


def _fields_to_name(one: _Taken, mapping: str | None) -> list[str]:
    return [] if not one.missing else [f"name its {', '.join(one.missing)} in {mapping}"]


def _notes(one: _Taken, by: str, corrections: Sequence[str]) -> Iterator[str]:
    """Yield the comments beside a delivery: what to correct, what fits nearly as well, where a date comes from, rows to be set aside."""
    yield from (f"? {text}" for text in corrections)
    found = one.last.found
    if one.choice.runner_up is not None:
        second = layer_definition(one.choice.runner_up)
        yield f"next best: {second.key} {second.title}"
    if by:
        yield f"as_of {by}"
    if found.n_rejected and not found.refusals:
        yield f"{found.n_rejected:,} of {found.n_rows:,} records would be set aside: lowland inspect FILE"


def _encoding(one: _Taken) -> str | None:
    """Return the encoding that was found where the file does not say it, or says it wrongly."""
    found = one.last.found
    if found.encoding is None or found.text is None or not found.text.readings:
        return None
    wrong = "wrong" in (found.encoding_reason or "")
    return found.encoding if wrong or found.text.declared_cpg is None else None


def _from(home: Path, place: str) -> str:
    """Return a place as lowland.toml names it: relative to the project where both lie in one folder below the root."""
    root, file = home.resolve(), Path(place).absolute()
    if os.path.commonpath([root, file]) == os.sep:
        return str(file)
    return os.path.relpath(file, root)


def _line(text: str) -> str:
    """Return a message of several lines as one, without the path before it."""
    return " ".join(text.split())


def _missing(there: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Yield the layers that the shipped rules and the units use and no file fits, with what stays unknown without them."""
    pack = rule_pack(ClassifySettings().pack, Path())
    untold: dict[str, list[str]] = defaultdict(list)
    for name in pack.measures:
        for layer in measures()[name].needs if name in measures() else ():
            untold[layer].append(measures()[name].title)
    for layer in ("town", "road", *DelineateSettings().barriers):
        untold[layer].append("再开发单元的分界 (where units end)")
    for layer in sorted(set(untold) - set(there), key=lambda key: (key != "parcel", key)):
        titles = list(dict.fromkeys(untold[layer]))
        more = f" … +{len(titles) - _SHOWN}" if len(titles) > _SHOWN else ""
        yield layer, "、".join(titles[:_SHOWN]) + more
