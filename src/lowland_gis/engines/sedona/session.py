"""The Spark session of this process: started when it is first asked for, kept until the process ends."""

from __future__ import annotations

import os
import socket
import sys
import tempfile
from typing import Any

from lowland_gis.engines.sedona import needs
from lowland_gis.engines.sedona.place import MASTER, MEMORY, Place
from lowland_gis.errors import LowlandError, UsageError

__all__ = ["MASTER", "MEMORY", "Place", "session"]

# So many rows come to a worker at a time; with zones of 50 vertices these are 2 MB. Packed values are few and heavy: so many bytes.
BATCH_ROWS = 2_000
BATCH_BYTES = 8_000_000
_PATIENCE_S = 5.0


def session(place: Place) -> Any:
    """Return the session of this process, which is started if there is none.

    `local[*,4]` lets a task fail three times before the run does; a plain `local[*]` would not let it fail once.

    Raises:
        UsageError: Java, a jar or Spark itself is missing or does not fit.
        LowlandError: the master cannot be reached.
    """
    try:
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise UsageError(
            f"The engine sedona needs pyspark, which is not installed ({error.name}). Type: pip install 'lowland_gis[sedona]'"
        ) from error
    active = SparkSession.getActiveSession()
    if active is not None and active.conf.get("spark.lowland.place", "") == str(place):
        return active
    if active is not None:
        active.stop()
    jars = needs.jars()
    os.environ["JAVA_HOME"] = str(needs.java_home())
    # The workers are this Python, whatever `python3` is on the PATH.
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    _refuse_unreachable(place.master)
    return _started(place, ",".join(map(str, jars)))


def _started(place: Place, jars: str) -> Any:
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession
    from sedona.spark import SedonaContext

    settings = {
        "spark.master": place.master,
        "spark.app.name": "lowland tabulate",
        "spark.jars": jars,
        "spark.lowland.place": str(place),
        "spark.driver.memory": place.memory,
        "spark.executor.memory": place.memory,
        "spark.driver.maxResultSize": "0",
        "spark.local.dir": os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir()),
        "spark.sql.warehouse.dir": os.path.join(tempfile.gettempdir(), "lowland-warehouse"),  # noqa: PTH118
        "spark.ui.enabled": "false",
        "spark.ui.showConsoleProgress": "false",
        "spark.sql.shuffle.partitions": "8",
        # A row group or two a task: what a task reads is small, and all cores have some.
        "spark.sql.files.maxPartitionBytes": "32m",
        # It loads for all workers what each would load for itself.
        "spark.python.daemon.module": "lowland_gis.engines.sedona.daemon",
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH_ROWS),
        "spark.sql.execution.arrow.maxBytesPerBatch": str(BATCH_BYTES),
        "spark.serializer": "org.apache.spark.serializer.KryoSerializer",
        "spark.kryo.registrator": "org.apache.sedona.core.serde.SedonaKryoRegistrator",
        "spark.sql.session.timeZone": "UTC",
    }
    if place.master.startswith("local"):
        # A machine without a name that can be looked up would not start.
        settings |= {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    builder = SparkSession.builder
    for name, value in settings.items():
        builder = builder.config(name, value)
    try:
        spark = SedonaContext.create(builder.getOrCreate())
    except (PySparkException, RuntimeError, OSError, Exception) as error:  # py4j raises its own kind
        raise LowlandError(
            f"Spark did not start on {place.master} ({_first_line(error)}), so nothing was computed. Is the master right, and is there"
            f" room for {place.memory} of memory? Without Spark: --engine local"
        ) from error
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def _refuse_unreachable(master: str) -> None:
    """Refuse a standalone master that nobody listens at: Spark itself would ask for a minute."""
    if not master.startswith("spark://"):
        return
    for each in master.removeprefix("spark://").split(","):
        host, _, port = each.rpartition(":")
        try:
            socket.create_connection((host, int(port)), timeout=_PATIENCE_S).close()
        except (OSError, ValueError) as error:
            reason = error
            continue
        return
    raise LowlandError(
        f"--master {master}: cannot be reached ({reason}), so nothing was computed. Start it, or leave --master away: {MASTER} is this machine."
    )


def _first_line(error: BaseException) -> str:
    return str(error).strip().partition("\n")[0][:300]
