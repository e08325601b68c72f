"""Promises by commands: recorded from a table, amended, held against yearly figures, proposed as problems, and refused where a row is wrong."""

import datetime as dt
import hashlib
import json

import numpy as np
import pandas as pd
import psycopg
import pytest

from lowland_gis.cli import main
from lowland_gis.pipeline.base.entries import PROBLEM
from lowland_gis.pipeline.base.papers import current_documents
from lowland_gis.pipeline.base.project import open_project
from lowland_gis.pipeline.registry.determine import _append
from lowland_gis.sample.firms import credit_codes
from planned import PROJECT
from registered import deliver_parcels, paper

PARCELS = [f"12011310100{number}GB0000{number}" for number in range(4)]
FIRMS = credit_codes(10_000_000 + np.arange(4)).tolist()


@pytest.fixture
def folder(database, tmp_path, monkeypatch):
    monkeypatch.delenv("LOWLAND_DSN", raising=False)
    (tmp_path / "lowland.toml").write_text(PROJECT.format(dsn=database), encoding="utf-8")
    deliver_parcels(database, PARCELS)
    return tmp_path


@pytest.fixture
def lowland(folder, capsys):
    def run(*arguments, code=0):
        with pytest.raises(SystemExit) as left:
            main(["--project", str(folder / "lowland.toml"), *map(str, arguments)])
        said = capsys.readouterr()
        assert left.value.code == code, said.out + said.err
        return said.out if "--json" in arguments else said.out + said.err

    return run


def figures(lowland, folder, year, rows):
    """Deliver a table of the tax office: firm, parcel, tax per mu; 10 mu each."""
    table = pd.DataFrame(
        [
            {"年份": year, "企业名称": "甲公司", "统一社会信用代码": FIRMS[firm], "宗地代码": PARCELS[parcel],
             "占地面积（亩）": 10.0, "亩均税收（万元/亩）": tax}
            for firm, parcel, tax in rows
        ]
    )  # fmt: skip
    table.to_excel(folder / f"企业{year}.xlsx", index=False)
    lowland("ingest", "enterprise", folder / f"企业{year}.xlsx", "--part", f"企业{year}")


def contract(number, firm, parcel, **given):
    return {
        "合同编号": number, "签订日期": dt.date(2021, 3, 1), "统一社会信用代码": FIRMS[firm], "宗地代码": PARCELS[parcel],
        "考核起始年份": 2023, "合同文件": "合同.pdf", **given,
    }  # fmt: skip


def table(folder, rows, name="承诺.xlsx"):
    paper(folder, "合同")
    pd.DataFrame(rows).to_excel(folder / name, index=False)
    return folder / name


def status(lowland, *arguments, code=0):
    found = json.loads(
        lowland("registry", "promises", "--due", "2024-06-30", "--json", *arguments, code=code)
    )
    return {
        (row["contract"], row["item"], row["year"]): row["status"] for row in found if row["year"] != 2024
    }


def head(database):
    with psycopg.connect(database) as connection:
        return connection.execute("SELECT max(link_no) FROM registry.link").fetchone()


def test_what_is_promised_is_held_against_the_figures(lowland, folder, database):
    figures(lowland, folder, 2023, [(0, 0, 5.0), (1, 1, 5.0)])
    rows = [
        contract("HT-1", 0, 0, **{"承诺年税收（元）": 500000}),  # 50 万元, and 50 came
        contract("HT-2", 1, 1, **{"承诺年税收（元）": 510000}),
        contract("HT-3", 2, 2, **{"承诺年税收（元）": 10000}),  # a firm that is in no table
    ]
    lowland("registry", "promise", table(folder, rows), "--dry-run")
    before = head(database)
    lowland("registry", "promise", table(folder, rows))
    assert head(database) != before
    assert status(lowland, code=1) == {
        ("HT-1", "税收", 2023): "met", ("HT-2", "税收", 2023): "breached", ("HT-3", "税收", 2023): "unknown",
    }  # fmt: skip
    assert set(status(lowland, "--firm", FIRMS[0])) == {("HT-1", "税收", 2023)}
    assert set(status(lowland, "--parcel", PARCELS[1], code=1)) == {("HT-2", "税收", 2023)}
    again = head(database)
    assert "0 contracts recorded, 3 were recorded before" in lowland(
        "registry", "promise", table(folder, rows)
    )
    assert head(database) == again
    lowland("registry", "verify")


def test_a_contract_that_is_amended_holds_and_the_older_stays(lowland, folder, database):
    figures(lowland, folder, 2023, [(0, 0, 5.0)])
    lowland("registry", "promise", table(folder, [contract("HT-1", 0, 0, **{"承诺年税收（万元）": 60})]))
    assert status(lowland, code=1) == {("HT-1", "税收", 2023): "breached"}
    newer = contract("HT-1", 0, 0, **{"承诺年税收（万元）": 40, "签订日期": dt.date(2023, 5, 1)})
    lowland("registry", "promise", table(folder, [newer], "变更.xlsx"))
    assert status(lowland) == {("HT-1", "税收", 2023): "met"}
    history = json.loads(lowland("registry", "history", "HT-1", "--json"))
    assert [event["version"] for event in history] == [1, 2]
    with psycopg.connect(database) as connection:
        kept = connection.execute(
            "SELECT content->>'tax_wan' FROM registry.event WHERE move = 'sign' ORDER BY version"
        ).fetchall()
    assert [float(tax) for (tax,) in kept] == [60.0, 40.0]
    older = contract("HT-1", 0, 0, **{"承诺年税收（万元）": 60})
    said = lowland("registry", "promise", table(folder, [older]), code=3)
    assert "row 2, HTQDRQ: HT-1 was amended on 2023-05-01, after 2021-03-01" in said
    # One that was ended promises nothing any more.
    lowland("registry", "withdraw", "HT-1", "--register", "promise", "--reason", "企业迁出")
    assert status(lowland) == {}


def test_every_wrong_row_is_named_and_nothing_is_recorded(lowland, folder, database):
    rows = [
        contract("HT-1", 0, 0),
        contract("HT-2", 0, 1, **{"承诺年税收（万元）": "很多"}),
        contract("HT-3", 0, 2, **{"承诺年税收（万元）": 5, "宗地代码": "120113999001GB00001"}),
        contract("HT-4", 0, 3, **{"承诺年税收（万元）": 5, "统一社会信用代码": "91120113MA00000000"}),
        contract("HT-5", 0, 3, **{"承诺年税收（万元）": 5, "合同文件": None}),
        contract("HT-6", 0, 3, **{"承诺年税收（万元）": 5, "签订日期": None}),
        contract("HT-7", 0, 3, **{"承诺年税收（万元）": 5}),
    ]
    before = head(database)
    said = lowland("registry", "promise", table(folder, rows), code=3)
    for row, words in [
        (2, "promises nothing"), (3, "很多"), (4, "no parcel 120113999001GB00001"), (5, "no unified social credit code"),
        (6, "has no paper"), (7, "签订日期 is empty"),
    ]:  # fmt: skip
        assert any(f"row {row}, " in line and words in line for line in said.splitlines()), (row, said)
    assert "row 8" not in said
    assert head(database) == before


def test_a_paper_that_lies_elsewhere_is_known_by_its_digest(lowland, folder):
    digest = hashlib.sha256(b"x").hexdigest()
    good = contract("HT-1", 0, 0, **{"承诺年税收（万元）": 5, "合同校验值": digest.upper()})
    lowland("registry", "promise", table(folder, [good]))
    assert "仅有校验值" in lowland("registry", "show", "HT-1")
    wrong = contract("HT-2", 0, 0, **{"承诺年税收（万元）": 5, "合同校验值": "abc"})
    assert "is no SHA-256" in lowland("registry", "promise", table(folder, [wrong]), code=3)


def problems(database):
    with psycopg.connect(database) as connection:
        return dict(
            connection.execute(
                "SELECT subject || ' ' || matter, state FROM registry.current_entry WHERE register = 'problem' ORDER BY 1"
            ).fetchall()
        )


def test_a_breach_is_proposed_as_a_problem_and_taken_back_when_it_is_none(lowland, folder, database):
    figures(lowland, folder, 2023, [(0, 0, 5.0)])
    rows = [contract("HT-1", 0, 0, **{"承诺年税收（万元）": 60}), contract("HT-2", 1, 1, **{"承诺年税收（万元）": 60})]  # fmt: skip
    lowland("registry", "promise", table(folder, rows))
    propose = ("registry", "promises", "--due", "2024-06-30", "--propose")
    assert "1 problems proposed, 0 taken back" in lowland(*propose, code=1)
    assert problems(database) == {f"{PARCELS[0]} promise: HT-1 税收2023": "open"}
    project = open_project(folder)
    with project.transaction() as connection:
        said = current_documents(connection)
        assert list(zip(said["parcel_id"], said["condition"], said["says"], strict=True)) == [
            (PARCELS[0], "promise_breached", True)
        ]
    assert "0 problems proposed, 0 taken back" in lowland(*propose, code=1)
    # Drafts of verdicts, which take back what no verdict supports, leave it alone.
    with project.transaction() as connection:
        wanted = pd.DataFrame(columns=["parcel_id", "town_code", "question", "clause", "needed", "office"])
        _append(connection, project, PROBLEM, ["parcel_id", "question", "clause"], wanted, 1)
        assert connection.execute("SELECT count(*) FROM registry.problem").fetchone() == (1,)
    # A corrected table meets the promise: it is taken back. What people settled stays so.
    figures(lowland, folder, 2023, [(0, 0, 6.0)])
    assert "0 problems proposed, 1 taken back" in lowland(*propose)
    assert problems(database) == {f"{PARCELS[0]} promise: HT-1 税收2023": "dropped"}
    with project.transaction() as connection:
        assert current_documents(connection).empty
    lowland("registry", "verify")
