"""What Spark needs is looked for before it is started, and what is missing or wrong is named with what to type."""

import subprocess
import sys

import pytest

from lowland_gis.engines.sedona import needs
from lowland_gis.engines.sedona.session import Place, _refuse_unreachable
from lowland_gis.errors import LowlandError, UsageError


def test_a_missing_jar_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"sedona-spark-shaded.*\.jar is missing.*bootstrap.py --sedona"):
        needs.jars({"LOWLAND_JARS": str(tmp_path)})


def test_a_jar_of_another_content_is_refused(tmp_path):
    jar = needs.pinned()[0][0]
    (tmp_path / jar.file).write_bytes(b"PK cut")
    with pytest.raises(UsageError, match=f"its checksum is not that of {jar.artifact}"):
        needs.jars({"LOWLAND_JARS": str(tmp_path)})


def java(folder, version):
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2024-01-01' >&2\n")
    program.chmod(0o755)
    return folder


@pytest.mark.parametrize(
    ("version", "said"), [("1.8.0_402", "Java 8"), ("11.0.2", "Java 11"), ("25", "Java 25")]
)
def test_a_wrong_java_is_named_with_its_version(tmp_path, version, said):
    home = java(tmp_path / "jdk", version)
    java(tmp_path / "jvm" / "right", "17.0.1")
    with pytest.raises(UsageError, match=f"runs on Java 17 or 21.*{said}"):
        # Whoever names one means it: another is not taken in its place.
        needs.java_home({"JAVA_HOME": str(home)}, tmp_path / "jvm")


def test_a_java_that_fits_is_found_beside_one_that_does_not(tmp_path):
    wrong = java(tmp_path / "old", "11.0.2")
    right = java(tmp_path / "jvm" / "right", "21.0.1")
    assert needs.java_home({"PATH": str(wrong / "bin")}, tmp_path / "jvm") == right


def test_no_java_at_all(tmp_path):
    with pytest.raises(UsageError, match="no java was found"):
        needs.java_home({"PATH": str(tmp_path)}, tmp_path)


@pytest.mark.parametrize("master", ["spark://127.0.0.1:1", "spark://nobody"])
def test_a_master_that_nobody_listens_at_is_said_at_once(master):
    with pytest.raises(LowlandError, match=rf"--master {master}: cannot be reached"):
        _refuse_unreachable(Place(master).master)


def test_nothing_loads_spark_unless_it_is_asked_for():
    script = (
        "import sys, lowland_gis.engines.named as n, lowland_gis.cli.tabulate, lowland_gis.engines.sedona.engine as e\n"
        "e.Sedona(lambda: ''); n.engine('local', lambda: '')\n"
        "print([name for name in sys.modules if name.partition('.')[0] in ('pyspark', 'sedona', 'py4j')])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
