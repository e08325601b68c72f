"""`lowland unit edit`: what is said to change, each edit answered with its cost, the rules that it breaks, and the best repairs."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

from lowland_gis.cli.drafts import draft_option
from lowland_gis.cli.staleness import tell_findings
from lowland_gis.cli.tables import json_option, show, show_json
from lowland_gis.errors import UsageError

if TYPE_CHECKING:
    from lowland_gis.analysis.units.edit import Edit
    from lowland_gis.analysis.units.repairs import Repair
    from lowland_gis.analysis.units.session import Answer
    from lowland_gis.pipeline.units.drafts import Compared

# A term that changes by less is rounding, m².
_SHOWN_M2 = 0.5
_COLON = re.compile("[:：]")
# What a shell takes as it stands, Chinese among it.
_PLAIN = re.compile(r"[\w=,:.\-]+")


@click.command()
@click.argument("name")
@draft_option
@click.option("--lock", multiple=True, metavar="UNIT", help="Leave a unit as it is.")
@click.option(
    "--link",
    multiple=True,
    metavar="PARCEL=PARCEL:REASON",
    help="Two parcels are neighbours though the rule does not see it: a footbridge, a lane. Kept with the draft.",
)
@click.option(
    "--forbid-link",
    "unlink",
    multiple=True,
    metavar="PARCEL=PARCEL:REASON",
    help="Two parcels are no neighbours though they face each other: a wall. Kept with the draft.",
)
@click.option(
    "--by", "said_by", metavar="NAME", help="Who says so of the links; without it the person at work."
)
@click.option("--merge", multiple=True, metavar="UNIT,UNIT", help="Join units into the first.")
@click.option(
    "--split", multiple=True, metavar="UNIT=PARCEL,…", help="Make some parcels of a unit a unit of their own."
)
@click.option(
    "--new", multiple=True, metavar="PARCEL,…", help="Make parcels a unit of their own, wherever they are."
)
@click.option(
    "--move", multiple=True, metavar="PARCEL,…=UNIT", help="Move parcels to a unit; PARCEL= takes them out."
)
@click.option(
    "--swap",
    multiple=True,
    metavar="PARCEL,…=PARCEL,…",
    help="Let parcels of two units, or one side of none, change places.",
)
@click.option("--forbid", multiple=True, metavar="PARCEL", help="Keep a parcel out of every unit.")
@click.option("--force", multiple=True, metavar="PARCEL", help="Have a parcel in a unit.")
@click.option(
    "--mend", multiple=True, metavar="UNIT", help="Draw a unit again on what it holds and what is left over."
)
@click.option("--redraw", multiple=True, metavar="UNIT", help="Draw the component of a unit anew.")
@click.option(
    "--as-said",
    is_flag=True,
    help="Leave units that only lose parcels as they are then, instead of drawing them again on what they have left.",
)
@json_option
@click.pass_context
def edit(
    ctx: click.Context,
    /,
    name: str,
    which: str,
    said_by: str | None,
    as_said: bool,
    as_json: bool,
    **edits: tuple[str, ...],
) -> None:
    """Change a draft as said and keep it as NAME; of each edit it is said what it costs, which rules it breaks, and what would mend it.

    Edits are done in the order of the options above, whatever the order in which they are typed. Only the units touched and those beside
    them are looked at, so a large district is answered at once.
    """
    from lowland_gis.pipeline.units.drafts import edit as edit_draft

    wanted = tuple(_edits(edits, said_by))
    if not wanted:
        raise UsageError("Nothing was said to change. See: lowland unit edit --help")
    done = edit_draft(ctx.obj.project, which, name, wanted, as_said=as_said, tell=ctx.obj.tell)
    if as_json:
        show_json(edited_json(done, name))
    else:
        for answer in done.answers:
            for line in answer_lines(answer):
                click.echo(line)
        show(done.changed, as_json=False)
        click.echo(said_values(done))
    tell_findings(ctx, done.findings)


def said_values(done: Compared) -> str:
    """Return both values of a draft in one line."""
    cost = done.after_m2 - done.before_m2
    return f"run {done.run.run_id}: value {done.before_m2:,.0f} → {done.after_m2:,.0f} m² ({cost:+,.0f})"


def _edits(texts: dict[str, tuple[str, ...]], said_by: str | None) -> Iterator[Edit]:
    """Yield what is said, in the order in which it is done."""
    from lowland_gis.analysis.units.edit import Edit
    from lowland_gis.pipeline.base.project import who

    by = said_by if said_by is not None else who()
    one: dict[str, Callable[[str], Edit]] = {
        "lock": lambda text: Edit("lock", units=(text,)),
        "link": lambda text: _linked("link", text, by),
        "unlink": lambda text: _linked("unlink", text, by),
        "merge": lambda text: Edit("merge", units=_codes(text)),
        "split": lambda text: Edit("split", _codes(_after(text, "split", "UNIT=PARCEL,…")), (_before(text),)),
        "new": lambda text: Edit("new", _codes(text)),
        "move": _moved,
        "swap": lambda text: Edit(
            "swap", _codes(_before(text)), others=_codes(_after(text, "swap", "PARCEL=PARCEL"))
        ),
        "forbid": lambda text: Edit("forbid", (text,)),
        "force": lambda text: Edit("force", (text,)),
        "mend": lambda text: Edit("mend", units=(text,)),
        "redraw": lambda text: Edit("redraw", units=(text,)),
    }
    for kind, said in one.items():
        yield from map(said, texts[kind])


def _codes(text: str) -> tuple[str, ...]:
    return tuple(code.strip() for code in text.split(",") if code.strip())


def _before(text: str) -> str:
    return text.partition("=")[0].strip()


def _after(text: str, option: str, form: str) -> str:
    _, sign, after = text.partition("=")
    if not sign:
        raise UsageError(f"--{option} {text}: write it as {form}")
    return after.strip()


def _moved(text: str) -> Edit:
    from lowland_gis.analysis.units.edit import Edit

    unit = _after(text, "move", "PARCEL=UNIT, or PARCEL= to take it out")
    return Edit("move", _codes(_before(text)), (unit,) if unit else ())


def _linked(kind: str, text: str, by: str) -> Edit:
    from lowland_gis.analysis.units.edit import Edit

    option = "link" if kind == "link" else "forbid-link"
    form = "PARCEL=PARCEL:REASON"
    other, *reason = _COLON.split(_after(text, option, form), maxsplit=1)
    if not reason or not reason[0].strip():
        raise UsageError(
            f"--{option} {text}: say why, since it is kept with the draft: write it as {form}, for example"
            f" --{option} {_before(text)}={other.strip()}:人行天桥"
        )
    return Edit("link" if kind == "link" else "unlink", (_before(text),), others=(other.strip(),), reason=reason[0].strip(), said_by=by)  # fmt: skip


def option_of(edit: Edit) -> str:
    """Return an edit as the option that says it, to be pasted."""
    parcels, others, units = (",".join(names) for names in (edit.parcels, edit.others, edit.units))
    texts = {
        "move": f"{parcels}={units}",
        "new": parcels,
        "swap": f"{parcels}={others}",
        "merge": units,
        "split": f"{units}={parcels}",
        "link": f"{parcels}={others}:{edit.reason}",
        "unlink": f"{parcels}={others}:{edit.reason}",
        "forbid": parcels,
        "force": parcels,
    }
    name = "forbid-link" if edit.kind == "unlink" else edit.kind
    text = texts.get(edit.kind, units)
    return f"--{name} {text if _PLAIN.fullmatch(text) else shlex.quote(text)}"


def answer_lines(answer: Answer) -> Iterator[str]:
    """Yield an answer as lines: the edit and its cost, the terms that change, rules broken and settled, repairs."""
    yield f"{option_of(answer.edit)}: value {answer.gain_m2:+,.0f} m² → {answer.value_m2:,.0f}"
    terms = [f"{name} {amount:+,.0f}" for name, amount in answer.terms.items() if abs(amount) >= _SHOWN_M2]
    if terms:
        yield f"  {', '.join(terms)}"
    for note in answer.notes:
        yield f"  {note}"
    for breach in answer.broken:
        about = f" ({', '.join(breach.parcels[:5])}{' …' if len(breach.parcels) > 5 else ''})"  # noqa: PLR2004 - as many as are shown
        yield f"  broken {breach.unit_id} {breach.rule}: {breach.message}{about if breach.parcels else ''}"
    for unit, rule in answer.settled:
        yield f"  settled {unit} {rule}"
    for number, repair in enumerate(answer.repairs, start=1):
        yield f"  {number}. {_repair(answer, repair)}"


def _repair(answer: Answer, repair: Repair) -> str:
    how = f"leave out {option_of(answer.edit)}" if repair.edit is None else option_of(repair.edit)
    text = f"{how}: value {repair.gain_m2:+,.0f} m² → {repair.value_m2:,.0f}"
    for word, rules in (("settles", repair.settles), ("leaves", repair.leaves), ("breaks", repair.breaks)):
        text += f"; {word} {', '.join(f'{unit} {rule}' for unit, rule in rules)}" if rules else ""
    return text


def edited_json(done: Compared, name: str) -> dict[str, Any]:
    """Return what became of a draft as JSON has it."""
    return {
        "run_id": done.run.run_id,
        "name": name,
        "before_m2": done.before_m2,
        "after_m2": done.after_m2,
        "edits": [answer_json(answer) for answer in done.answers],
        "changed": done.changed.to_dict("records"),
        "findings": done.findings.to_dict("records"),
    }


def answer_json(answer: Answer) -> dict[str, Any]:
    """Return an answer as JSON has it; rules of units are lists of two."""
    return {
        "option": option_of(answer.edit),
        "gain_m2": answer.gain_m2,
        "value_m2": answer.value_m2,
        "terms": dict(answer.terms),
        "units": [vars(unit) for unit in answer.units],
        "broken": [vars(breach) for breach in answer.broken],
        "settled": answer.settled,
        "repairs": [
            {
                "option": None if repair.edit is None else option_of(repair.edit),
                "undo": repair.edit is None,
                "gain_m2": repair.gain_m2,
                "value_m2": repair.value_m2,
                "settles": repair.settles,
                "leaves": repair.leaves,
                "breaks": repair.breaks,
            }
            for repair in answer.repairs
        ],
        "notes": answer.notes,
    }
