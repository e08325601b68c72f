"""Run one variation and hold its answers against those about the district as it was delivered."""

from __future__ import annotations

from pathlib import Path

import pytest

from variations.catalogue import Variation
from variations.differences import report
from variations.flow import Flow, NewDatabase, RefusedError, run_flow
from variations.incoming import Incoming


def judge(variation: Variation, incoming: Incoming, plain: Flow, folder: Path, database: NewDatabase) -> None:
    """Fail with every difference that the variation does not account for, by parcel and with its cause."""
    try:
        varied = run_flow(variation.change(incoming), folder, database)
    except RefusedError as error:
        pytest.fail(f"{variation.name}: {error}", pytrace=False)
    found = variation.effect.unexpected(plain.answers, varied.answers)
    if found:
        pytest.fail(f"{variation.name}: {report(found, varied.answers)}", pytrace=False)
