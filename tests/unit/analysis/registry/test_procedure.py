"""What a procedure allows, what in one does not fit, and where one asks for less than another."""

from __future__ import annotations

import pytest

from lowland_gis.analysis.registry.procedure import Move, Register, procedure_faults, weaker, without_basis


def move(reaches: str, *leaves: str, **given: object) -> Move:
    return Move.model_validate(
        {
            "title": reaches,
            "reaches": reaches,
            "leaves": leaves,
            "roles": ("analyst",),
            "actor": "区",
            **given,
        }
    )


def register(**moves: Move) -> Register:
    states = {name: name for name in ("draft", "notice", "done", "gone")}
    return Register(title="库", subject="parcel", source="x", state=states, move=moves)


LAND = register(
    draft=move("draft", "draft", first=True),
    notice=move("notice", "draft", document="公示文本"),
    approve=move("done", "notice", roles=("approver",), document="认定文件", days=7, since="notice"),
    drop=move("gone", "draft", "notice", verb="withdraw", reason=True),
)


def test_what_leads_on_from_a_state_and_who_may_record_it():
    assert set(LAND.allowed(None)) == {"draft"}
    assert set(LAND.allowed("draft")) == {"draft", "notice", "drop"}
    assert set(LAND.allowed("notice", "approver")) == {"approve"}
    assert LAND.allowed("done") == {}
    assert LAND.final == ("done", "gone")
    assert LAND.verbs == ("draft", "notice", "approve", "withdraw")
    assert LAND.meant("withdraw", "notice") == ["drop"]
    assert LAND.meant("withdraw", "notice", "done") == []
    assert LAND.meant("approve", "draft") == []


def test_a_procedure_that_fits_has_no_fault():
    assert list(procedure_faults({"land": LAND})) == []


def test_no_days_since_a_move_waive_those_of_the_shipped_procedure():
    waived = {"approve": move("done", "notice", days=0, since="notice")}
    assert list(procedure_faults({"land": register(**LAND.move | waived)})) == []


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"notice": move("notise", "draft")}, "reaches = 'notise': the register has no such state. Did you mean 'notice'?"),
        ({"notice": move("notice", "nowhere")}, "leaves = 'nowhere'"),
        ({"approve": move("done", "notice", days=7, since="notic")}, "since = 'notic'"),
        ({"approve": move("done", "notice", days=7)}, "`days` and `since` go together"),
        ({"again": move("notice", "draft", verb="notice")}, "cannot be told apart from the move notice"),
        ({"draft": move("draft", "draft")}, "nothing can be put into the register"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_said(changed: dict[str, Move], said: str):
    faults = [str(fault) for fault in procedure_faults({"land": register(**LAND.move | changed)})]
    assert any(said in fault for fault in faults), faults


LESS = {
    "fewer days": ({"approve": move("done", "notice", roles=("approver",), document="认定文件", days=5, since="notice")}, "after 5 days"),
    "days since another": ({"approve": move("done", "notice", roles=("approver",), document="认定文件", days=7, since="draft")}, "since draft"),
    "another role": ({"approve": move("done", "notice", roles=("approver", "town"), document="认定文件", days=7, since="notice")}, "town too"),
    "no paper": ({"notice": move("notice", "draft", document="")}, "the paper 公示文本 is not needed"),
    "another paper": ({"notice": move("notice", "draft", document="便条")}, "便条 takes its place"),
    "no reason": ({"drop": move("gone", "draft", "notice", verb="withdraw")}, "no reason"),
    "another way": ({"jump": move("done", "draft")}, "a way that the shipped procedure does not have"),
    "from more states": ({"approve": move("done", "notice", "draft", roles=("approver",), document="认定文件", days=7, since="notice")}, "from draft too"),
    "another state": ({"notice": move("done", "draft", document="公示文本")}, "reaches done instead of notice"),
    "puts in": ({"notice": move("notice", "draft", document="公示文本", first=True)}, "puts subjects into the register"),
}  # fmt: skip


@pytest.mark.parametrize("what", LESS)
def test_where_it_asks_for_less_a_document_must_be_named(what: str):
    changed, said = LESS[what]
    own = {"land": register(**LAND.move | changed)}
    (words,) = weaker({"land": LAND}, own).values()
    assert any(said in line for line in words), words
    (fault,) = without_basis({"land": LAND}, own)
    assert fault.key == "basis"
    named = {name: found.model_copy(update={"basis": "文号，2024-05-01"}) for name, found in changed.items()}
    own = {"land": register(**LAND.move | named)}
    assert list(without_basis({"land": LAND}, own)) == []
    assert weaker({"land": LAND}, own)


def test_what_asks_for_more_is_not_weaker():
    stricter = {
        "approve": move("done", "notice", roles=("approver",), document="认定文件", days=30, since="notice", reason=True),
        "draft": move("draft", first=True, document="调查表"),
    }  # fmt: skip
    assert weaker({"land": LAND}, {"land": register(**LAND.move | stricter)}) == {}
