"""Tables of `result`: what stages computed; it can be thrown away and carries the run that made it."""

from __future__ import annotations

from lowland_gis.schema.model import PARCEL_ID, RESULT, TOWN, Column, Table, View, identity


def _run(*, enforced: bool = True) -> Column:
    return Column(
        "run_id", "bigint", "run that made the row", references="result.run.run_id", enforced=enforced
    )


RUN = Table(
    RESULT,
    "run",
    "one execution of one stage",
    ("run_id",),
    (
        identity("run_id", "number of the run"),
        Column("stage", "text", "stage that ran", indexed=True),
        Column("started_at", "timestamp", "when it began"),
        Column("finished_at", "timestamp", "when it ended"),
        Column("code_version", "text", "version of lowland_gis"),
        Column("inputs", "json", "versions and runs that it read"),
        Column("settings", "json", "settings that it used, with the digest of every definition"),
        Column(
            "digest", "text", "digest of inputs, settings and code version: the same again is not run twice"
        ),
        Column(
            "engine", "text", "what computed the overlaps; null for a stage that computes none", nullable=True
        ),
    ),
)

_LAYER = Column("layer", "text", "layer key")
_OVERLAP = (
    _LAYER,
    PARCEL_ID,
    Column("code", "text", "class code"),
    Column("area_m2", "number", "overlap on the plane", unit="m²"),
    Column("share", "number", "part of the parcel's planar area", unit="[0, 1]"),
)
_COVER = (
    _LAYER,
    PARCEL_ID,
    Column("rest_m2", "number", "part of the parcel that no zone covers", unit="m²"),
    Column("excess_m2", "number", "what zones cover beyond once: twice counts once, thrice twice", unit="m²"),
)
_OVERLAP_MEANING = "how many square metres of a parcel lie in a class of a layer"
_COVER_MEANING = "where a layer leaves a part of a parcel that it meets uncovered, or covers a part more than once; no row: neither"

COMPUTED_OVERLAP = Table(
    RESULT,
    "computed_overlap",
    f"{_OVERLAP_MEANING}, by the run that computed it; result.overlap shows what stands for a run",
    ("run_id", "layer", "parcel_id", "code"),
    (_run(enforced=False), *_OVERLAP),
)

COMPUTED_COVER = Table(
    RESULT,
    "computed_cover",
    f"{_COVER_MEANING}; by the run that computed it, result.cover shows what stands for a run",
    ("run_id", "layer", "parcel_id"),
    (_run(enforced=False), *_COVER),
)

OVERLAP_RUN = Table(
    RESULT,
    "overlap_run",
    "by which runs that was computed which stands for a run in a layer: by itself, and by those before with the same zones",
    ("run_id", "layer", "computed_by"),
    (
        _run(enforced=False),
        _LAYER,
        Column(
            "computed_by",
            "bigint",
            "run that computed",
            references="result.run.run_id",
            enforced=False,
            indexed=True,
        ),
    ),
)

OTHER_PARCEL = Table(
    RESULT,
    "other_parcel",
    "a parcel that has another outline, or is gone, since runs that a run rests on: what these computed of it does not stand",
    ("run_id", "parcel_id"),
    (
        _run(enforced=False),
        PARCEL_ID,
        Column(
            "since_run",
            "bigint",
            "run from which on it is another",
            references="result.run.run_id",
            enforced=False,
        ),
    ),
)

_STANDS = """
    FROM result.overlap_run s JOIN result.{0} c ON c.run_id = s.computed_by AND c.layer = s.layer
    WHERE NOT EXISTS (
        SELECT FROM result.other_parcel o WHERE o.run_id = s.run_id AND o.parcel_id = c.parcel_id AND o.since_run > c.run_id
    )
    """

OVERLAP = View(
    RESULT,
    "overlap",
    _OVERLAP_MEANING,
    (_run(), *_OVERLAP),
    "\n    SELECT s.run_id, c.layer, c.parcel_id, c.code, c.area_m2, c.share"
    + _STANDS.format(COMPUTED_OVERLAP.name),
)

COVER = View(
    RESULT,
    "cover",
    _COVER_MEANING,
    (_run(), *_COVER),
    "\n    SELECT s.run_id, c.layer, c.parcel_id, c.rest_m2, c.excess_m2"
    + _STANDS.format(COMPUTED_COVER.name),
)

_VALUE = (
    Column("value", "number", "the value; true is 1 and false is 0"),
    Column("low", "number", "least value that drift of the boundaries allows", nullable=True),
    Column("high", "number", "greatest value that drift of the boundaries allows", nullable=True),
    Column("source", "text", "layers and dates that it came from"),
    Column("detail", "text", "classes or shares that the value is made of", nullable=True),
)

EVIDENCE_MEASURE = Table(
    RESULT,
    "evidence_measure",
    "the measures of a run, by the number under which parcel_evidence holds their values",
    ("run_id", "number"),
    (
        _run(),
        Column("number", "integer", "place of the measure in the values of a parcel, from 1"),
        Column("measure", "text", "name of the measure"),
        Column("source", "text", "layers and dates that its values came from"),
    ),
    unique=(("run_id", "measure"),),
)

PARCEL_EVIDENCE = Table(
    RESULT,
    "parcel_evidence",
    "what was measured of one parcel, measure by measure; result.evidence shows it row by row",
    ("run_id", "parcel_id"),
    (
        _run(enforced=False),
        PARCEL_ID,
        Column("value", "numbers", "value of each measure of the run; NaN where nothing is known"),
        Column("banded", "integers", "numbers of the measures that have a band", nullable=True),
        Column(
            "low",
            "numbers",
            "least value of each of these that drift of the boundaries allows",
            nullable=True,
        ),
        Column(
            "high",
            "numbers",
            "greatest value of each of these that drift of the boundaries allows",
            nullable=True,
        ),
        Column("noted", "integers", "numbers of the measures that have a detail", nullable=True),
        Column(
            "detail", "texts", "classes or shares that the value of each of these is made of", nullable=True
        ),
    ),
)

EVIDENCE_APART = Table(
    RESULT,
    "evidence_apart",
    "one value of one parcel that has a source of its own, as what a registered paper says has",
    ("run_id", "parcel_id", "measure"),
    (_run(), PARCEL_ID, Column("measure", "text", "name of the measure"), *_VALUE),
)

EVIDENCE = View(
    RESULT,
    "evidence",
    "one measured value of one parcel; a missing row means that nothing is known",
    (_run(), PARCEL_ID, Column("measure", "text", "name of the measure"), *_VALUE),
    """
    SELECT run_id, p.parcel_id, m.measure, p.value[m.number] AS value,
        p.low[array_position(p.banded, m.number)] AS low, p.high[array_position(p.banded, m.number)] AS high,
        m.source, p.detail[array_position(p.noted, m.number)] AS detail
    FROM result.parcel_evidence p JOIN result.evidence_measure m USING (run_id)
    WHERE p.value[m.number] <> 'NaN'::double precision
    UNION ALL
    SELECT run_id, parcel_id, measure, value, low, high, source, detail FROM result.evidence_apart
    """,
)

VERDICT = Table(
    RESULT,
    "verdict",
    "the answer to one question for one parcel, with the trace of every clause",
    ("run_id", "question", "parcel_id"),
    (
        _run(enforced=False),
        Column("question", "text", "question of the rule pack"),
        PARCEL_ID,
        Column("answer", "text", "class given"),
        Column("settled", "boolean", "false where an unknown clause could still change the answer"),
        Column("rule", "text", "rule that decided", nullable=True),
        Column("candidate", "text", "class that the first undecided rule would give", nullable=True),
        Column(
            "trace",
            "text",
            "outcome of every clause of the question in the order of its rules: t true, f false, u unknown",
        ),
    ),
)

UNIT = Table(
    RESULT,
    "unit",
    "a proposed redevelopment unit (再开发单元)",
    ("run_id", "unit_id"),
    (
        _run(),
        Column("unit_id", "text", "number of the unit"),
        TOWN,
        Column("n_parcels", "bigint", "parcels in it"),
        Column("area_m2", "number", "ellipsoidal area of its parcels", unit="m²"),
        Column("low_share", "number", "share of low-efficiency land", unit="[0, 1]"),
        Column("compactness", "number", "Polsby-Popper 4πA/P²", unit="[0, 1]"),
        Column("geom", "geometry", "outline", geometry_type="MULTIPOLYGON"),
        Column(
            "public_share", "number", "share of planned public-benefit land", unit="[0, 1]", nullable=True
        ),
        Column("value_m2", "number", "value of the unit: gains less costs", unit="m²", nullable=True),
        Column("ledger", "json", "every term of the value, in m²", nullable=True),
        Column("limited_by", "text", "rule that forbids the best further move", nullable=True),
        Column("alternative", "text", "best change of one parcel and what it gains", nullable=True),
    ),
)

MEMBER = Table(
    RESULT,
    "member",
    "which parcel is in which unit, or why it is in none",
    ("run_id", "parcel_id"),
    (
        _run(enforced=False),
        PARCEL_ID,
        Column("unit_id", "text", "unit; null when left out", nullable=True),
        Column("reason", "text", "why it was left out", nullable=True),
    ),
)

DRAFT = Table(
    RESULT,
    "draft",
    "a division into units (方案), kept beside the others; the units of the flow are one too",
    ("run_id",),
    (
        _run(),
        Column("name", "text", "name of the draft"),
        Column("origin", "text", "search, edit or import"),
        # No foreign key: a draft outlives the one that it was made from.
        Column("base_run_id", "bigint", "draft that it was made from", nullable=True),
        Column("n_units", "bigint", "units in it"),
        Column("value_m2", "number", "value of all units", unit="m²"),
        Column("bound_m2", "number", "no draft under these limits is worth more", unit="m²"),
        Column("gap", "number", "how far the value may be below the optimum", unit="[0, 1]"),
        Column("coverage", "number", "share of all low-efficiency land that is in units", unit="[0, 1]"),
        Column("findings", "json", "rules that it breaks: unit, rule, value, limit, parcels, message"),
    ),
)

SEARCHED = Table(
    RESULT,
    "searched",
    "what a draft rests on piece by piece: the next one takes over what rests on the same",
    ("run_id", "digest"),
    (
        _run(),
        Column(
            "digest",
            "text",
            "digest of all that the search of a component, the outline of a unit, or the blocks of the ground rest on",
        ),
        Column(
            "found",
            "json",
            "units (places in the component) and bound_m2; the unit_id that has the outline; or blocks and the barriers missing, or the run that cut them",
        ),
    ),
)
