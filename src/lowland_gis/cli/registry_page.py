"""The page of a parcel in the registry, as a clerk reads it: where it stands, since when, what is due next and from whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from lowland_gis.analysis.registry.procedure import ROLE_TITLES

if TYPE_CHECKING:
    from lowland_gis.pipeline.registry.look import Due, Standing


def page(standings: Sequence[Standing]) -> str:
    """Return the page of all entries of one subject."""
    first = standings[0]
    town = "" if first.town_code is None else f"  镇街 {first.town_code}"
    return "\n".join([f"{first.subject}{town}", *(line for found in standings for line in _entry(found))])


def as_records(standings: Sequence[Standing]) -> list[dict[str, Any]]:
    """Return the page for programs."""
    return [
        {
            **{name: value for name, value in vars(found).items() if name not in ("due", "events")},
            "due": [vars(due) for due in found.due],
            "events": found.events.astype(object).where(found.events.notna(), None).to_dict("records"),
        }
        for found in standings
    ]


def _entry(found: Standing) -> Iterator[str]:
    matter = f"  {found.matter}" if found.matter else ""
    yield ""
    yield f"{found.register_title}（{found.register}）{matter}"
    yield f"  now    {found.state_title}（{found.state}） since {found.since}; in the register since {found.first_on}; version {found.version}"
    if not found.due:
        yield "  next   nothing: it has ended here"
    for number, due in enumerate(found.due):
        yield f"  {'next' if number == 0 else '  or'}   {_due(due)}"
    for event in found.events.to_dict("records"):
        yield f"  {event['on_date']}  {event['title']}{_rests(event)}"


def _due(due: Due) -> str:
    who = "、".join(ROLE_TITLES[role] for role in due.roles)
    needs = [f"paper {due.document}"] if due.document else []
    needs += ["a reason"] if due.reason else []
    needed = f"; needs {', '.join(needs)}" if needs else ""
    day = "" if due.from_day is None else f"; not before {due.from_day}"
    return f"{due.title}: {due.actor}, recorded by {who}（{'/'.join(due.roles)}）{needed}{day} – lowland registry {due.verb}"


def _rests(event: dict[Any, Any]) -> str:
    parts = []
    if not pd.isna(event["document_sha256"]):
        kept = "" if event["has_file"] else "（仅有校验值）"
        number = "" if pd.isna(event["document_no"]) else f"{event['document_no']} "
        parts.append(f"{number}{event['document']}{kept}")
    if not pd.isna(event["reason"]):
        parts.append(str(event["reason"]))
    if event["by"] == "program":
        parts.append(f"run {event['run_id']}")
    person = (
        event["recorded_by"] if pd.isna(event["account"]) else f"{event['recorded_by']}/{event['account']}"
    )
    return "  " + "; ".join([*parts, f"{person} {event['recorded_at']:%Y-%m-%d %H:%M}"])
