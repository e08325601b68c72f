"""The page of a parcel in the registry, as a clerk reads it: where it stands, since when, what is due next and from whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from lowland_gis.analysis.registry.facts import ANSWER_TITLES
from lowland_gis.analysis.registry.procedure import ROLE_TITLES
from lowland_gis.cli.registry_moves import TYPED_AS

if TYPE_CHECKING:
    from lowland_gis.pipeline.registry.look import Due, Standing

# What is typed for a verb of the procedure whose name another command has.
TYPED = {verb: command for command, verb in TYPED_AS.items()}


def page(standings: Sequence[Standing]) -> str:
    """Return the page of all entries of one subject."""
    first = standings[0]
    town = "" if first.town_code is None else f"  镇街 {first.town_code}"
    return "\n".join([f"{first.subject}{town}", *(line for found in standings for line in _entry(found))])


def as_records(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Return the page for programs."""
    return [
        {
            **{name: value for name, value in vars(found).items() if name not in ("due", "events", "facts")},
            "facts": [vars(fact) for fact in found.facts],
            "due": [vars(due) for due in found.due],
            "events": list(found.events),
        }
        for found in standings
    ]


def _entry(found: Standing) -> Iterator[str]:
    matter = f"  {found.matter}" if found.matter else ""
    yield ""
    again = f"  第{found.ordinal}次登记" if found.ordinal > 1 else ""
    yield f"{found.register_title}（{found.register}）{matter}{again}"
    yield f"  now    {found.state_title}（{found.state}） since {found.since}; in the register since {found.first_on}; version {found.version}"
    yield f"  facts  {'; '.join(f'{fact.title} {fact.text}' for fact in found.facts)}"
    if found.part_of:
        yield f"  from   {'、'.join(found.part_of)}（来源）"
    if found.parts:
        yield f"  into   {'、'.join(found.parts)}（去向）"
    if not found.due:
        yield "  next   nothing: it has ended here"
    for number, due in enumerate(found.due):
        yield f"  {'next' if number == 0 else '  or'}   {_due(due)}"
    for event in found.events:
        yield f"  {event['on_date']}  {event['title']}{_rests(event)}"


def _due(due: Due) -> str:
    who = "、".join(ROLE_TITLES[role] for role in due.roles)
    needs = [f"paper {due.document}"] if due.document else []
    needs += ["a reason"] if due.reason else []
    needed = f"; needs {', '.join(needs)}" if needs else ""
    day = "" if due.from_day is None else f"; not before {due.from_day}"
    return f"{due.title}: {due.actor}, recorded by {who}（{'/'.join(due.roles)}）{needed}{day} – lowland registry {TYPED.get(due.verb, due.verb)}"


def _rests(event: dict[Any, Any]) -> str:
    parts = []
    if event["document_sha256"] is not None:
        kept = "" if event["has_file"] else "（仅有校验值）"
        number = "" if event["document_no"] is None else f"{event['document_no']} "
        parts.append(f"{number}{event['document']}{kept}")
    elif event["paper"] == "unknown":
        parts.append(f"文件 {ANSWER_TITLES['unknown']}")
    if event["reason"] is not None:
        parts.append(str(event["reason"]))
    if event["by"] == "program":
        parts.append(f"run {event['run_id']}")
    person = (
        event["recorded_by"] if event["account"] is None else f"{event['recorded_by']}/{event['account']}"
    )
    return "  " + "; ".join([*parts, f"{person} {event['recorded_at']:%Y-%m-%d %H:%M}"])
