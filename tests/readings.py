"""Readers as tests call them: each in one state of the database of its own."""

from lowland_gis.pipeline.intake.reading import reading
from lowland_gis.pipeline.verdicts.compare import compare
from lowland_gis.pipeline.verdicts.explain import explain


def explained(project, parcel, run="latest"):
    """Return the explanation of a parcel from a run."""
    with reading(project, run) as held:
        return explain(held, parcel)


def compared(project, earlier, later="latest"):
    """Return the parcels whose answer changed between two runs."""
    with reading(project, later) as held:
        return compare(held, earlier)
