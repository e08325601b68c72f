"""Many rows that say the same are one on a terminal, and a line that only passes by leaves the terminal again."""

import io
import os

import pandas as pd

from lowland_gis.cli import lists, streams
from lowland_gis.cli.lists import on_terminal, together


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Said:
    def __init__(self):
        self.lines = []

    def tell(self, text):
        self.lines.append(text)


ROWS = pd.DataFrame(
    {
        "message": ["YT '99' is no code"] * 2107 + ["YT '98' is no code"] * 3,
        "status": "open",
        "features": [f"GB{number:05d}" for number in range(2110)],
    }
)


def test_thousands_of_the_same_are_one_line_with_the_first_five():
    found = together(ROWS, ["message", "status"], "features")
    assert found.to_dict("records")[0] == {
        "message": "YT '99' is no code",
        "status": "open",
        "n": 2107,
        "first features": "GB00000、GB00001、GB00002、GB00003、GB00004",
    }
    assert found["n"].tolist() == [2107, 3]


def test_only_a_terminal_gets_them_so(monkeypatch):
    said = Said()
    monkeypatch.setattr(lists.sys, "stdout", io.StringIO())
    assert len(on_terminal(ROWS, ["message"], "features", one_by_one="x -o FILE", session=said)) == 2110
    monkeypatch.setattr(lists.sys, "stdout", Terminal())
    assert len(on_terminal(ROWS, ["message"], "features", one_by_one="x -o FILE", session=said)) == 2
    assert said.lines == ["2,110 rows; what says the same is one line. Each for itself: x -o FILE"]
    few = ROWS.head(40)
    assert on_terminal(few, ["message"], "features", one_by_one="x", session=said) is few


def test_a_passing_line_makes_room_for_the_next_one(monkeypatch):
    stream = Terminal()
    monkeypatch.setattr(streams.sys, "stderr", stream)
    monkeypatch.setattr(streams.shutil, "get_terminal_size", lambda *_, **__: os.terminal_size((24, 10)))
    streams.mention("measure 1 of 63: tax_per_mu 亩均税收")
    streams.mention("measure 2 of 63: b")
    streams.warn("measure 63 measures")
    streams.warn("run 3")
    wiped = stream.getvalue().split(streams._WIPE)
    assert wiped == ["", "measure 1 of 63: tax_pe", "measure 2 of 63: b", "measure 63 measures\nrun 3\n"]


def test_elsewhere_it_is_not_said(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(streams.sys, "stderr", stream)
    streams.mention("measure 1 of 63")
    streams.warn("measure 63 measures")
    assert stream.getvalue() == "measure 63 measures\n"
