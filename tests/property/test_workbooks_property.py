"""Workbooks that were cut anywhere, or of which bytes were changed: refused by one message, or read as they were, never otherwise."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from lowland_gis.errors import InputRefusedError
from lowland_gis.files.read import received
from lowland_gis.files.source import opened
from workbook_traps import hidden, zeros
from workbooks import saved_as, write_xlsb

# Each file is read in a process of its own, which takes its time.
FEW = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)
SUFFIXES = (".xls", ".xlsb", ".ods")


@pytest.fixture(scope="module")
def contents(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cut")
    hidden().save(folder / "t.xlsx")
    paths = [saved_as(suffix, folder, folder / "t.xlsx")[0] for suffix in (".xls", ".ods")]
    paths.append(write_xlsb(zeros(), folder / "t.xlsb"))
    return {path.suffix: (path.read_bytes(), values(path)) for path in paths}


def values(path):
    """Return the values of a file, or None where it is refused with its name."""
    try:
        with opened(str(path), path.parent) as source, received(source) as arrived:
            (batch,) = arrived.batches
            return batch.attributes.to_pydict()
    except InputRefusedError as error:
        said = str(error)
    assert said.startswith(str(path))
    assert "\n" not in said
    assert said.endswith(".")
    return None


@pytest.mark.parametrize("suffix", SUFFIXES)
@FEW
@given(share=st.floats(0, 1, exclude_max=True))
@example(share=0.0)
@example(share=0.99)
def test_a_cut_workbook_is_refused_or_whole(contents, tmp_path, suffix, share):
    whole, expected = contents[suffix]
    path = tmp_path / f"t{suffix}"
    path.write_bytes(whole[: int(len(whole) * share)])
    assert values(path) in (None, expected)


@pytest.mark.parametrize("suffix", SUFFIXES)
@FEW
@given(
    changes=st.lists(
        st.tuples(st.floats(0, 1, exclude_max=True), st.integers(0, 255)), min_size=1, max_size=8
    )
)
def test_a_changed_workbook_is_refused_or_as_it_was(contents, tmp_path, suffix, changes):
    whole, expected = contents[suffix]
    content = bytearray(whole)
    for share, byte in changes:
        content[int(len(content) * share)] = byte
    path = tmp_path / f"t{suffix}"
    path.write_bytes(content)
    found = values(path)
    # An .xls has no checksums, so a changed value is one like any other.
    assert suffix == ".xls" or found in (None, expected)


def test_what_is_read_is_the_table(contents):
    assert all(
        next(iter(expected)) == "宗地代码" and len(expected["宗地代码"]) >= 2
        for _, expected in contents.values()
    )
