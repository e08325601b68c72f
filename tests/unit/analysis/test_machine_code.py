"""Machine code that is kept: found again, never that of other sources, never from where others write, and called without Numba."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from lowland_gis.analysis import machine_code
from lowland_gis.analysis.compiled import Entry, compiled, entry


class Pair(NamedTuple):
    values: np.ndarray
    weights: np.ndarray


def weighted(pair: Pair, factor: float, times: int, into: np.ndarray) -> None:
    total = 0.0
    for n in range(len(pair.values)):
        total += pair.values[n] * pair.weights[n]
    into[0] = total * factor * times


def factorial(values: np.ndarray, into: np.ndarray) -> None:
    into[0] = math.gamma(values[0] + 1)


PAIR, HALF = Pair(np.array([1.0, 2.0]), np.array([3, 4])), 0.5


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let machine code be kept in a folder of the test."""
    kept = tmp_path / "kept"
    monkeypatch.setattr(machine_code, "folders_of", lambda wing: (kept,))
    return kept


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Count what is compiled."""
    names: list[str] = []
    truly: Callable[..., bytes] = Entry._compiled

    def counted(self: Entry, arguments: tuple[object, ...]) -> bytes:
        names.append(self.__name__)
        return truly(self, arguments)

    monkeypatch.setattr(Entry, "_compiled", counted)
    return names


def found() -> float:
    """Return what the function finds, as a process does that calls it for the first time."""
    into = np.zeros(1)
    entry(weighted)(PAIR, HALF, 3, into)
    return float(into[0])


def test_the_machine_code_finds_what_the_function_finds():
    into = np.zeros(1)
    weighted(PAIR, HALF, 3, into)
    assert found() == into[0] == 16.5


def test_what_was_compiled_is_kept_and_found(folder, compilations):
    assert not machine_code.is_kept("units")
    assert found() == found() == 16.5
    assert compilations == ["weighted"]
    assert [file.name.partition("-")[0] for file in folder.iterdir()] == ["test_machine_code.weighted"]
    assert machine_code.is_kept("units")


def test_arguments_of_another_kind_have_code_of_their_own(folder, compilations):
    into = np.zeros(1)
    function = entry(weighted)
    function(PAIR, HALF, 3, into)
    function(Pair(np.array([5, 6]), np.array([1, 1])), HALF, 2, into)
    assert into[0] == 11.0
    assert len(compilations) == len(list(folder.iterdir())) == 2


@pytest.mark.parametrize("spoilt", [lambda code: code[:-1], lambda code: code[:-1] + b"?", lambda code: b""])
def test_what_is_not_whole_is_compiled_anew(folder, compilations, spoilt):
    found()
    (file,) = folder.iterdir()
    file.write_bytes(spoilt(file.read_bytes()))
    assert found() == found() == 16.5
    assert len(compilations) == 2


def test_nothing_is_loaded_from_a_folder_that_others_write_to(folder, compilations):
    found()
    folder.chmod(0o777)
    assert found() == 16.5
    assert len(compilations) == 2


def test_nothing_is_loaded_from_a_file_that_others_write_to(folder, compilations):
    found()
    next(folder.iterdir()).chmod(0o666)
    assert found() == 16.5
    assert len(compilations) == 2


def test_nothing_is_kept_where_others_write(folder, compilations):
    folder.mkdir()
    folder.chmod(0o777)
    assert found() == 16.5
    assert list(folder.iterdir()) == []


def test_where_nothing_can_be_kept_it_is_compiled(folder, compilations):
    folder.write_text("a file")
    assert found() == found() == 16.5
    assert len(compilations) == 2


def test_a_folder_is_closed_to_others_whatever_accounts_share(folder, compilations):
    before = os.umask(0)
    try:
        found()
    finally:
        os.umask(before)
    assert {path.stat().st_mode & 0o022 for path in (folder, *folder.iterdir())} == {0}


def test_other_sources_have_another_folder(tmp_path):
    module = tmp_path / "wing" / "sums.py"
    module.parent.mkdir()
    names = []
    for text in ("one = 1", "one = 2", "one = 1"):
        module.write_text(text)
        names.append(machine_code.folders_of.__wrapped__(module.parent)[0].name)
    assert names[0] == names[2] != names[1]


@pytest.mark.parametrize(
    "lent", [np.zeros((4, 4))[:, 1], np.zeros(3, ">f8"), np.zeros((2, 3)).T, "text", True, None], ids=repr
)
def test_what_does_not_lie_as_c_has_it_is_not_lent(lent):
    with pytest.raises(TypeError, match=r"lent to machine code"):
        entry(weighted)(Pair(lent, PAIR.weights), HALF, 3, np.zeros(1))


def test_what_calls_another_library_is_no_entry(folder):
    with pytest.raises(TypeError, match=r"factorial needs .*gamma"):
        entry(factorial)(np.zeros(2), np.zeros(1))


def test_what_returns_something_is_no_entry(folder):
    def counted(values: np.ndarray) -> int:
        return len(values)

    with pytest.raises(TypeError, match=r"counted returns something"):
        entry(counted)(np.zeros(2))


@compiled
def doubled(value: int) -> int:
    return 2 * value


@compiled
def quadrupled(value: int) -> int:
    return doubled(doubled(value))


def test_compiled_functions_call_each_other():
    assert quadrupled(3) == 12
    assert quadrupled.__name__ == "quadrupled"
