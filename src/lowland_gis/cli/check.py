"""`lowland check run | show | accept`; `check` alone runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from difflib import get_close_matches
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lowland_gis.cli import Session
from lowland_gis.cli.lists import list_option, on_terminal, write_list
from lowland_gis.cli.outputs import OutputPath, overwrite_option
from lowland_gis.cli.staleness import mark
from lowland_gis.cli.tables import json_option, show
from lowland_gis.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

    from lowland_gis.definitions.check import CheckDefinition

_FOUND = 1


@dataclass(frozen=True)
class _Asked:
    """What a run of the checks is asked for beside them: marks of deliveries, and the files that they go to."""

    suite: str | None
    strict: bool
    as_json: bool
    mark: bool
    layers: tuple[str, ...]
    report: Path | None
    gpkg: Path | None
    overwrite: bool


def _options(command: Callable[..., object]) -> Callable[..., object]:
    """Give a command the options of a run of the checks, as one argument `asked`."""

    @wraps(command)
    def work(*words: object, **given: Any) -> object:
        named = {item.name: given.pop(item.name) for item in fields(_Asked)}
        return command(*words, asked=_Asked(**named), **given)

    for option in reversed(
        (
            click.option("--suite", help="Only the checks of one suite: topology, attributes, relations or layers."),
            click.option("--strict", is_flag=True, help="Exit 1 on open warnings too."),
            click.option(
                "--mark",
                is_flag=True,
                help="Mark each delivery (质检评分) by its faults and by what ingest set aside or doubted; 0 to 100 points.",
            ),
            click.option("--layer", "layers", multiple=True, help="Mark only this layer; may be given several times."),
            click.option(
                "--report",
                type=OutputPath(),
                help="What goes back to the supplier: marks, and every fault with row, heading, value and what is expected (.xlsx, .docx, .csv).",
            ),
            click.option("--gpkg", type=OutputPath(), help="The places of the faults, for QGIS."),
        )
    ):  # fmt: skip
        work = option(work)
    return overwrite_option(json_option(work))


@click.group(invoke_without_command=True)
@_options
@click.pass_context
def check(ctx: click.Context, asked: _Asked) -> int | None:
    """Check what was received: topology, codes, fields, areas (质检); exit 1 when findings are open."""
    if ctx.invoked_subcommand is not None:
        return None
    return _run(ctx.obj, asked)


@check.command()
@_options
@click.pass_obj
def run(session: Session, asked: _Asked) -> int:
    """Check every layer and print open findings by rule, the same as `lowland check`."""
    return _run(session, asked)


def _run(session: Session, asked: _Asked) -> int:
    from lowland_gis.definitions.check import chosen_checks
    from lowland_gis.pipeline.products.figures import deliveries_in_force
    from lowland_gis.pipeline.quality.check import check as run_check
    from lowland_gis.pipeline.quality.checked import idle_checks
    from lowland_gis.pipeline.quality.findings import ACCEPTED, OPEN, listed_findings

    project = session.project
    suite, as_json = asked.suite, asked.as_json
    _check_files(session, asked)
    done = run_check(project, suite=suite, tell=session.tell)
    session.tell(f"run {done.run_id}{'' if done.fresh else ' holds already: nothing has changed'}")
    chosen = chosen_checks(project.settings.check, suite)
    with project.transaction() as connection:
        findings = listed_findings(connection, list(chosen), (OPEN, ACCEPTED))
        records = deliveries_in_force(connection).groupby("layer")["n_loaded"].sum()
        idle = idle_checks(connection, chosen)
    summary = _summary(findings, records)
    if not (as_json and asked.mark):
        show(summary if as_json else _for_people(summary), as_json=as_json)
    for words in idle:
        session.tell(words)
    still = findings[findings["status"] == OPEN]
    counts = [int((still["severity"] == severity).sum()) for severity in ("error", "warning")]
    session.tell(
        f"{len(chosen)} checks: {counts[0]} error(s), {counts[1]} warning(s) open."
        + (" Look at them with: lowland check show RULE" if len(still) else "")
    )
    if asked.mark:
        _mark_deliveries(session, asked)
    return _FOUND if counts[0] or (asked.strict and counts[1]) else 0


def _check_files(session: Session, asked: _Asked) -> None:
    """Refuse what cannot be written before the checks run, which takes long."""
    from lowland_gis.products.judging.report import check_layer
    from lowland_gis.products.judging.returned import check_target

    if not asked.mark and (asked.report or asked.gpkg or asked.layers):
        raise UsageError("--layer, --report and --gpkg are about marks of deliveries. Type: --mark")
    for target, look in ((asked.report, check_target), (asked.gpkg, check_layer)):
        if target is not None:
            look(target)
            session.outputs.check(target, overwrite=asked.overwrite)


def _mark_deliveries(session: Session, asked: _Asked) -> None:
    from lowland_gis.pipeline.products.returned import marked_deliveries, summary, write

    with session.project.snapshot() as connection:
        marked = marked_deliveries(connection, asked.layers)
    table = summary(marked.deliveries)
    if asked.as_json:
        show(table.astype(object).where(table.notna(), None), as_json=True)
    else:
        example = "（示例分值 weights are an example）" if marked.how.example else ""
        show(table.drop(columns=["layer"]), as_json=False, title=f"Marks 得分{example}")
    plane = session.project.settings.project.crs
    for target in filter(None, (asked.report, asked.gpkg)):
        with session.outputs.writing(target, overwrite=asked.overwrite):
            write(marked, target, crs=plane)
        session.tell(f"{target}: {len(marked.findings):,} faults of {len(marked.deliveries)} deliveries")


def _for_people(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary with shares in percent, without what only programs need."""
    shares = ["" if share is None else f"{share:.1%}" for share in summary["share"]]
    return summary.assign(share=shares).drop(columns=["official", "first"])


def _summary(findings: pd.DataFrame, records: pd.Series) -> pd.DataFrame:
    """Return one row a rule and layer: how many are open, in which share of the records, how many accepted, and the first open place.

    `records` has the number of records of each layer.
    """
    import pandas as pd

    from lowland_gis.definitions.check import checks
    from lowland_gis.pipeline.quality.findings import OPEN

    rows = []
    for (rule, layer), group in findings.groupby(["rule", "layer"], sort=True):
        still = group[group["status"] == OPEN]
        first = (still if len(still) else group).iloc[0]
        rows.append(
            {
                "severity": first["severity"],
                "rule": rule,
                "layer": layer,
                "title": checks()[str(rule)].title,
                "official": first["official"],
                "open": len(still),
                "share": _share(still, int(records.get(layer, 0))),
                "accepted": len(group) - len(still),
                "first": "、".join(map(str, first["keys"])),
                "place": None
                if pd.isna(first["east_m"])
                else f"{first['east_m']:.0f} {first['north_m']:.0f}",
            }
        )
    columns = [
        "severity",
        "rule",
        "layer",
        "title",
        "official",
        "open",
        "share",
        "accepted",
        "first",
        "place",
    ]
    table = pd.DataFrame(rows, columns=columns).sort_values(["severity", "rule", "layer"], ignore_index=True)
    return table.assign(share=table["share"].astype(object).where(table["share"].notna(), None))


def _share(still: pd.DataFrame, records: int) -> float | None:
    """Return the share of a layer's records that have an open finding."""
    from lowland_gis.pipeline.quality.check import ALL_RECORDS

    if not records:
        return None
    first = still["keys"].map(lambda keys: str(keys[0]))
    return 1.0 if (first == ALL_RECORDS).any() else min(first.nunique() / records, 1.0)


@check.command("show")
@click.argument("rule", required=False)
@click.option("--all", "every", is_flag=True, help="Show fixed and accepted findings too.")
@list_option
@overwrite_option
@json_option
@click.pass_context
def show_rule(
    ctx: click.Context, rule: str | None, every: bool, output: Path | None, overwrite: bool, as_json: bool
) -> None:
    """Show the findings of RULE: features, message, place (m) and status; without RULE, every check and its limits."""
    from lowland_gis.definitions.check import checks, chosen_checks
    from lowland_gis.pipeline.quality.checked import standing
    from lowland_gis.pipeline.quality.findings import ACCEPTED, FIXED, OPEN, listed_findings

    session: Session = ctx.obj
    if rule is None:
        catalogue = _catalogue(chosen_checks(session.settings.check))
        if output is not None:
            write_list(session, catalogue, output, overwrite=overwrite)
            return
        show(catalogue if as_json else catalogue.drop(columns=["official", "layers"]), as_json=as_json)
        return
    if rule not in checks():
        near = get_close_matches(rule, checks(), n=3, cutoff=0.4)
        hint = f"Did you mean: {', '.join(near)}?" if near else "The checks are shown by: lowland check show"
        raise UsageError(f"There is no check {rule!r}. {hint}")
    statuses = (OPEN, ACCEPTED, FIXED) if every else (OPEN,)
    with session.project.snapshot() as connection:
        rows = listed_findings(connection, [rule], statuses)
        held = standing(connection, session.project, rule)
    if held.note is not None:
        session.tell(held.note)
    if output is not None:
        write_list(session, _readable(rows), output, overwrite=overwrite)
    elif as_json:
        show(rows.astype(object).where(rows.notna(), None), as_json=True)
    else:
        same = ["layer", "message", "status"]
        more = f"lowland check show {rule} -o FILE.csv"
        shown = on_terminal(_readable(rows), same, "features", one_by_one=more, session=session)
        show(shown, as_json=False, title=checks()[rule].title)
    mark(ctx, held.stale)


def _readable(rows: pd.DataFrame) -> pd.DataFrame:
    import pandas as pd

    return pd.DataFrame(
        {
            "number": rows["finding_id"].astype(str),
            "layer": rows["layer"],
            "features": [" ".join(map(str, keys)) for keys in rows["keys"]],
            "message": [message.partition(": ")[2] for message in rows["message"]],
            "place": [
                _place(east, north) for east, north in zip(rows["east_m"], rows["north_m"], strict=True)
            ],
            "status": [
                status if why is None else f"{status} ({who}: {why})"
                for status, who, why in zip(
                    rows["status"], rows["accepted_by"], rows["accepted_why"], strict=True
                )
            ],
        }
    )


def _place(east: float | None, north: float | None) -> str | None:
    import pandas as pd

    return None if east is None or north is None or pd.isna(east) else f"{east:.0f} {north:.0f}"


def _catalogue(chosen: dict[str, CheckDefinition]) -> pd.DataFrame:
    """Return the checks that are switched on, with their limits as the project has them."""
    import pandas as pd

    return pd.DataFrame(
        {
            "suite": [item.suite for item in chosen.values()],
            "rule": list(chosen),
            "title": [item.title for item in chosen.values()],
            "official": [item.official for item in chosen.values()],
            "severity": [item.severity for item in chosen.values()],
            "limits": [
                ", ".join(f"{name} {limit.value:g}" for name, limit in item.parameter.items())
                for item in chosen.values()
            ],
            "layers": [" ".join(item.layer_keys) for item in chosen.values()],
        }
    )


@check.command("accept")
@click.argument("numbers", nargs=-1, required=True, type=int)
@click.option("--why", required=True, help="The reason, which is kept with the name and the day.")
@click.pass_obj
def accept_findings(session: Session, numbers: tuple[int, ...], why: str) -> None:
    """Accept the findings with these NUMBERS, so that they no longer count."""
    from lowland_gis.pipeline.quality.findings import accept

    with session.project.transaction() as connection:
        count = accept(connection, numbers, why)
    session.tell(f"{count} finding(s) accepted")
