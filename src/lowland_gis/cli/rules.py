"""`lowland rules list | show | check`."""

from __future__ import annotations

from pathlib import Path

import click
import pandas as pd

from lowland_gis.cli.tables import json_option, show
from lowland_gis.definitions.reading import shipped
from lowland_gis.definitions.rule_pack import rule_pack


@click.group()
def rules() -> None:
    """List, show and check rule packs (规则)."""


@rules.command("list")
@json_option
def list_packs(as_json: bool) -> None:
    """List the shipped rule packs."""
    packs = [rule_pack(name, Path.cwd()) for name in shipped("rules")]
    rows = [(pack.name, pack.title, pack.in_force.isoformat(), pack.example) for pack in packs]
    show(pd.DataFrame(rows, columns=["pack", "title", "in_force", "example"]), as_json=as_json)


@rules.command("show")
@click.argument("pack", default="example_beichen")
@json_option
def show_pack(pack: str, as_json: bool) -> None:
    """Show every clause of PACK (a shipped name or a .toml file) with its limit and document."""
    definition = rule_pack(pack, Path.cwd())
    rows = [
        (
            question.title,
            rule.title,
            clause.title,
            f"{clause.measure} {clause.op} {definition.limit(clause):g}",
            rule.article,
        )
        for question in definition.question
        for rule in question.rule
        for clause in rule.all
    ]
    show(pd.DataFrame(rows, columns=["question", "rule", "clause", "condition", "article"]), as_json=as_json)


@rules.command()
@click.argument("file")
def check(file: str) -> None:
    """Check a rule pack: its form, its names, and every example in it."""
    pack = rule_pack(file, Path.cwd())
    examples = sum(len(rule.example) for question in pack.question for rule in question.rule)
    click.echo(
        f"{file}: {len(pack.question)} questions, {len(pack.parameter)} parameters; all {examples} examples hold."
    )
