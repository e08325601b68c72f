#!/bin/sh
# openpyxl reads a day that has one of the built-in formats of Chinese editions as a plain number: 2019年3月15日 is 43539.
#
# Package:  openpyxl 3.1.5 (PyPI), beside python-calamine 0.9.1 and XlsxWriter 3.2.9; source: https://foss.heptapod.net/openpyxl/openpyxl
#           (openpyxl/styles/numbers.py, BUILTIN_FORMATS: nothing stands for 27-36 and 50-58)
# Expected: the format numbers 27-36 and 50-58 are built in like 14-22: ECMA-376 part 1, 18.8.30 gives their dates and times for
#           zh-cn, zh-tw, ja-jp and ko-kr (31 is yyyy"年"m"月"d"日"), so a file may use them without writing out their codes, and a
#           reader that tells days from numbers by the format gives a day.
# Happens:  cell.value is the int 43539, cell.is_date is False, cell.number_format is General, nothing is said; pandas.read_excel with
#           this engine makes a column of whole numbers of the dates of contracts. The same cell with format 14 is a datetime.
#           python-calamine reads both as the day.
# Seen:     2026-11-30, Python 3.11, Linux x86_64. Exits non-zero when openpyxl gives a day.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check openpyxl==3.1.5 python-calamine==0.9.1 XlsxWriter==3.2.9
cd "$folder"
"$folder/venv/bin/python" - <<'PYTHON'
import sys
import zipfile

import openpyxl
import xlsxwriter
from python_calamine import CalamineWorkbook

with xlsxwriter.Workbook("made.xlsx") as workbook:
    sheet = workbook.add_worksheet()
    sheet.write(0, 0, 43539, workbook.add_format({"num_format": 14}))
    sheet.write(1, 0, 43539, workbook.add_format({"num_format": 15}))
# 15 (d-mmm-yy) becomes 31, as a Chinese edition stores "2019年3月15日"; both numbers are built in and need no code in the file.
with zipfile.ZipFile("made.xlsx") as made, zipfile.ZipFile("contract.xlsx", "w") as contract:
    for name in made.namelist():
        content = made.read(name)
        if name == "xl/styles.xml":
            assert b'numFmtId="15"' in content and b"<numFmts" not in content
            content = content.replace(b'numFmtId="15"', b'numFmtId="31"')
        contract.writestr(name, content)

cells = [row[0] for row in openpyxl.load_workbook("contract.xlsx").active.iter_rows()]
other = [row[0] for row in CalamineWorkbook.from_path("contract.xlsx").get_sheet_by_index(0).to_python()]
for form, cell, value in zip((14, 31), cells, other):
    print(f"format {form}: openpyxl {cell.value!r}, is_date {cell.is_date}, {cell.number_format!r}; calamine {value!r}")
sys.exit(cells[1].value != 43539 or cells[1].is_date or str(other[1])[:10] != "2019-03-15")
PYTHON
