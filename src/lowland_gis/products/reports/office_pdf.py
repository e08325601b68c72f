"""A Word document as a PDF, by LibreOffice, in a profile of its own: one that is open is neither asked nor closed."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.whole import refused

_PROGRAMS = ("soffice", "libreoffice")
# A document of a few pages takes seconds; what hangs is not waited for all day.
_LONGEST_S = 180


def office() -> str:
    """Return LibreOffice, the program that makes PDFs.

    Raises:
        UsageError: LibreOffice is not installed; with what to type.
    """
    found = next((path for name in _PROGRAMS if (path := shutil.which(name)) is not None), None)
    if found is None:
        raise UsageError(
            "LibreOffice is not installed, and a PDF of a Word document is made by it. Type: apt-get install -y libreoffice-writer"
            " (macOS: brew install --cask libreoffice), or name a file that ends in .docx."
        )
    return found


def document_as_pdf(content: bytes, target: Path) -> bytes:
    """Return the PDF of a document (.docx), which is to be written to a target; it tells the time at which it was made.

    Raises:
        UsageError: LibreOffice is not installed.
        InputRefusedError: LibreOffice made no PDF, or there is no room for it.
    """
    program = office()
    with tempfile.TemporaryDirectory(prefix="lowland-pdf-") as name:
        folder = Path(name)
        source = folder / "brief.docx"
        with refused(target):
            source.write_bytes(content)
        profile = f"-env:UserInstallation={(folder / 'profile').as_uri()}"
        arguments = [
            program,
            profile,
            "--headless",
            "--convert-to",
            "pdf",
            "--outdir",
            str(folder),
            str(source),
        ]
        try:
            done = subprocess.run(arguments, capture_output=True, timeout=_LONGEST_S, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputRefusedError(
                f"{program}: made no PDF of the document ({error}), so nothing was written."
            ) from error
        made = source.with_suffix(".pdf")
        if not made.is_file():
            said = done.stderr.decode("utf-8", errors="replace").strip().splitlines()
            raise InputRefusedError(
                f"{program}: made no PDF of the document ({said[-1] if said else f'exit {done.returncode}'}), so nothing was written."
                " It needs its part for texts: apt-get install -y libreoffice-writer"
            )
        return made.read_bytes()
