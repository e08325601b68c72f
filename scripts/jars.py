"""Bring the jars of the Spark engine, at their pinned versions and checksums, into this Python's environment.

`.venv/bin/python scripts/jars.py` fetches what is missing with Maven, so from the mirror that Maven's own settings name. A jar is put
in its place when its checksum is right, so none is ever half there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from lowland_gis.engines.sedona import needs
from lowland_gis.errors import UsageError

_PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def main() -> int:
    """Fetch every jar that is not there as it should be, and return the exit code."""
    for jar in needs.pinned()[0]:
        target = needs.folder() / jar.file
        if target.is_file() and needs.digest(target) == jar.sha256:
            continue
        try:
            fetch(jar, target)
        except UsageError as error:
            print(f"[jars] {error}", file=sys.stderr)
            return 1
        print(f"[jars] {jar.artifact} → {target}")
    return 0


def fetch(jar: needs.Jar, target: Path) -> None:
    """Fetch one jar with Maven, check it and put it in its place.

    Raises:
        UsageError: Maven is missing or failed, or what it brought has another checksum.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise UsageError(
            f"{jar.artifact} is fetched with Maven, and there is no mvn. Type: apt-get install -y maven – or put the jar at {target} yourself."
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        line = [maven, "-q", "-B", _PLUGIN, f"-Dartifact={jar.artifact}", f"-DoutputDirectory={folder}"]
        if subprocess.run(line, check=False).returncode:
            raise UsageError(
                f"Maven could not bring {jar.artifact} (see above). Mend it, then type: {' '.join(line[:4])} …"
            )
        came = Path(folder) / jar.file
        if not came.is_file() or needs.digest(came) != jar.sha256:
            raise UsageError(
                f"{jar.artifact}: what Maven brought has another checksum than jars.toml says, so it was thrown away. Remove it from"
                " ~/.m2 and try again; if it stays so, the mirror is not to be trusted."
            )
        came.replace(target)


if __name__ == "__main__":
    sys.exit(main())
