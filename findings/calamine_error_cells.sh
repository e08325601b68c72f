#!/bin/sh
# python-calamine hands an error of a spreadsheet (#N/A, #DIV/0!, #REF!) on as an empty text, as an empty cell is: a broken figure looks undelivered.
#
# Package:  python-calamine 0.5.3 and 0.9.1 with openpyxl 3.1.5 (PyPI); source: https://github.com/dimastbk/python-calamine
# Expected: the Rust library behind it has a kind of cell of its own for errors, and openpyxl gives them as texts with a kind "e"; so a reader
#           of tax tables can tell a firm without a figure from one whose formula is broken.
# Happens:  both come as "". Nothing in to_python(), in iter_rows() or in a warning says which cells were errors, so the row passes for one that
#           the office left out, and a lookup that failed (#N/A) for a firm that has nothing. Sums over the column are too small without a word.
# Seen:     2026-12-01, Python 3.11, Linux x86_64. Exits non-zero when an error can be told from an empty cell.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat > "$folder/cells.py" <<'PYTHON'
import sys
import warnings
from importlib.metadata import version
from pathlib import Path

import openpyxl
import python_calamine

file = Path(sys.argv[1]) / "tax.xlsx"
book = openpyxl.Workbook()
for row in (["firm", "tax", "per mu"], ["A", 12.5, "#DIV/0!"], ["B", "#N/A", 0.5], ["C", None, "#REF!"]):
    book.active.append(row)
book.save(file)

by_openpyxl = [list(row) for row in openpyxl.load_workbook(file).active.iter_rows(values_only=True)]
with warnings.catch_warnings(record=True) as said:
    warnings.simplefilter("always")
    sheet = python_calamine.CalamineWorkbook.from_path(str(file)).get_sheet_by_index(0)
    by_calamine, one_by_one = sheet.to_python(), list(sheet.iter_rows())
print(f"python-calamine {version('python-calamine')}, openpyxl {openpyxl.__version__}")
for mine, theirs in zip(by_openpyxl[1:], by_calamine[1:], strict=True):
    print(f"  openpyxl {mine!r:32} calamine {theirs!r}")
errors = [(1, 2), (2, 1), (3, 2)]
empty = by_calamine[3][1]
told_apart = any(rows[row][column] != empty for rows in (by_calamine, one_by_one) for row, column in errors)
known = [by_openpyxl[row][column] for row, column in errors] == ["#DIV/0!", "#N/A", "#REF!"]
sys.exit(not (known and not told_apart and not said))
PYTHON
for version in 0.5.3 0.9.1; do
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install --quiet --disable-pip-version-check "python-calamine==$version" openpyxl==3.1.5
  "$folder/venv/bin/python" "$folder/cells.py" "$folder"
done
