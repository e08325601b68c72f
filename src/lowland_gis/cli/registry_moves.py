"""The moves of the registry as commands: one a verb of the procedure, all of one form."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.outputs import InputPath
from lowland_gis.cli.tables import json_option, show

# Verb → what it does; which states it leads from and to, and what it needs, says the procedure (states.toml).
VERBS = {
    "survey": "Put parcels into the register as to be surveyed (调查).",
    "notice": "Put drafts out for public notice (公示).",
    "objection": "Record an objection against what is on notice (异议).",
    "approve": "Record a determination or an approval (认定、审定).",
    "submit": "Submit to the city bureau (上报).",
    "review": "Record that a review was passed (审核、评估).",
    "return": "Record that something was returned to be corrected (退回).",
    "file": "Record a filing or a registration (备案、登记).",
    "start": "Record that a redevelopment, project or disposal begins (开始).",
    "step": "Record the next step of a legacy parcel or a disposal (下一步).",
    "ask": "Record that the office was asked about a problem (发函).",
    "resolve": "Record that an objection or a problem is resolved (处理完毕).",
    "dispose": "Record that a disposal or a project is finished (处置).",
    "withdraw": "Withdraw (撤销).",
    "enter": "Enter what the program does not draft itself: a plan, a project, a problem (列入).",
}
# Commands that go by another name than the verb of the procedure, because the name is taken.
TYPED_AS = {"enter": "draft"}
_SHOWN = 20


def add_moves(group: click.Group) -> None:
    """Add a command for each verb to a group."""
    for name, meaning in VERBS.items():
        group.add_command(_command(name, meaning))


def _command(name: str, meaning: str) -> click.Command:
    @click.command(
        name,
        short_help=meaning,
        help=f"{meaning}\n\nOf one parcel or several, the parcels of a unit, the rows of a list, or all that a town has: all of them, or none."
        " What leads where, needs which paper, and whose move it is: lowland registry procedure",
    )
    @click.argument("codes", nargs=-1, metavar="[PARCEL]...")
    @click.option("--unit", "units", multiple=True, help="All parcels of this unit.")
    @click.option(
        "--file",
        "file",
        type=InputPath(dir_okay=False),
        help="All rows of this list (.csv, .xlsx); a column `version` is compared.",
    )
    @click.option("--town", help="All entries of this town (code) from where the move leads on.")
    @click.option("--register", default="low_efficiency", show_default=True, help="The register (库).")
    @click.option("--matter", help="What of the subject: the problem, or the year of a plan.")
    @click.option("--to", "reaches", help="The state to reach, where there is more than one.")
    @click.option(
        "--on", "on", type=click.DateTime(["%Y-%m-%d"]), help="Day from which it counts.  [default: today]"
    )
    @click.option(
        "--document",
        type=InputPath(dir_okay=False),
        help="The paper that it rests on; the file is kept in the registry.",
    )
    @click.option("--document-no", help="Number of the paper (文号).")
    @click.option("--reason", help="Why.")
    @click.option(
        "--version", type=click.IntRange(min=0), help="Refuse it unless the entry is still at this version."
    )
    @click.option(
        "--part-of",
        "part_of",
        multiple=True,
        metavar="PARCEL",
        help="A parcel that what is entered came from (沿革); repeat it for each.",
    )
    @click.option("--dry-run", is_flag=True, help="Say what would be recorded, and record nothing.")
    @json_option
    @click.pass_obj
    def command(session: Session, /, **given: Any) -> None:
        _record(session, TYPED_AS.get(name, name), given)

    return command


def _record(session: Session, verb: str, given: dict[str, Any]) -> None:
    from lowland_gis.pipeline.registry.moves import Typed, record_move
    from lowland_gis.pipeline.registry.subjects import Asked

    on: dt.datetime | None = given["on"]
    file: Path | None = given["file"]
    typed = Typed(
        verb,
        given["register"],
        given["reaches"],
        None if on is None else on.date(),
        given["document"],
        given["document_no"],
        given["reason"],
        part_of=given["part_of"],
    )
    asked = Asked(given["codes"], given["units"], file, given["town"], given["matter"], given["version"])
    done = record_move(session.project, typed, asked, dry_run=given["dry_run"])
    rows = done.rows[["subject", "matter", "version", "from_state", "to_state", "on_date"]]
    if given["as_json"]:
        show(rows, as_json=True)
        return
    titles = done.register.state
    rows = rows.assign(
        from_state=[titles.get(state, "") for state in rows["from_state"]],
        to_state=[titles[state] for state in rows["to_state"]],
    )
    show(rows.head(_SHOWN), as_json=False)
    more = f"; the first {_SHOWN} are shown" if len(rows) > _SHOWN else ""
    would = "would be recorded (--dry-run)" if done.dry_run else "recorded"
    session.tell(f"{done.register.title}: {len(rows):,} {would}{more}")
