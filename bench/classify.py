"""Measure the classification of a million parcels by a pack of 40 clauses against the same comparisons in pandas, in turn in one run.

Type: python bench/classify.py [--parcels 1000000] [--rounds 5]. The pack asks four questions of 40 clauses over 20 measures, with a band on
two of them; a twentieth of the evidence is unknown. pandas compares by hand, knows nothing of unknowns and keeps no trace. Ours goes from the
evidence to answers with the letters of every clause.
"""

from __future__ import annotations

import datetime as dt
import resource
import statistics
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import pandas as pd
from project import reader, seconds

from lowland_gis.analysis.rules.decide import Facts, decide
from lowland_gis.analysis.rules.pack import Clause, Question, Rule, RulePack

BAR, BAR_GB = 1.5, 4.0
MEASURES, QUESTIONS, RULES, CLAUSES = 20, 4, 5, 2
UNKNOWN_SHARE = 0.05
COPY_ROWS = 50_000


def the_pack() -> RulePack:
    """Return four questions of five rules of two clauses: 40 clauses, no two with one condition."""
    number = 0
    questions = []
    for question in range(QUESTIONS):
        rules = []
        for rule in range(RULES):
            clauses = []
            for _ in range(CLAUSES):
                name = f"m{number % MEASURES:02d}"
                clauses.append(Clause(name, ">=" if number % 3 else "<", 0.5 + number / 100, name))
                number += 1
            rules.append(Rule(f"r{rule}", "t", f"a{rule % 3}", "x", tuple(clauses)))
        answers = {"none": "无", **{f"a{place}": "甲" for place in range(3)}}
        questions.append(Question(f"q{question}", "q", "none", answers, tuple(rules)))
    return RulePack("p", "p", "d", dt.date(2024, 1, 1), example=True, parameter=(), question=tuple(questions))


def the_evidence(parcels: int) -> pd.DataFrame:
    """Return values between 0 and 1, some of them unknown."""
    random = np.random.default_rng(1)
    values = {}
    for number in range(MEASURES):
        column = random.random(parcels)
        column[random.random(parcels) < UNKNOWN_SHARE] = np.nan
        values[f"m{number:02d}"] = column
    return pd.DataFrame(values, index=[f"1201131000{number:09d}" for number in range(parcels)])


def by_hand(pack: RulePack, evidence: pd.DataFrame) -> dict[str, npt.NDArray[np.int8]]:
    """Return the number of the first rule that holds (0 none) as a lean analyst writes it in pandas: comparisons, & and masks."""
    compare: dict[str, Callable[[pd.Series, float], pd.Series]] = {
        ">=": lambda values, limit: values >= limit,
        "<": lambda values, limit: values < limit,
    }
    found = {}
    for question in pack.question:
        answer = np.zeros(len(evidence), dtype=np.int8)
        for number, rule in reversed(list(enumerate(question.rule, start=1))):
            holds, *others = (
                compare[clause.op](evidence[clause.measure], clause.limit) for clause in rule.all
            )
            for other in others:
                holds &= other
            answer[holds.to_numpy()] = number
        found[question.name] = answer
    return found


def by_lowland(pack: RulePack, facts: Facts) -> int:
    """Return how many letters of clauses were written, with every answer decided."""
    decision = decide(pack, facts)
    letters = 0
    for verdicts in decision.verdicts.values():
        for start in range(0, len(verdicts), COPY_ROWS):
            letters += verdicts.trace(slice(start, start + COPY_ROWS)).nbytes
    return letters


def main() -> int:
    """Print both medians and their ratio; exit 1 above a bar."""
    parser = reader(__doc__)
    parser.add_argument("--parcels", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    pack, evidence = the_pack(), the_evidence(options.parcels)
    ends = {
        name: (evidence[name].to_numpy() - 0.02, evidence[name].to_numpy() + 0.02) for name in ("m00", "m01")
    }
    facts = Facts(
        evidence.index.to_numpy(dtype=object),
        {str(name): evidence[name].to_numpy() for name in evidence},
        bands=ends,
    )
    by_lowland(pack, Facts.of(evidence.iloc[:10]))
    hand, ours = [], []
    for _ in range(options.rounds):
        hand.append(seconds(lambda: by_hand(pack, evidence)))
        ours.append(seconds(lambda: by_lowland(pack, facts)))
    ratio = statistics.median(ours) / statistics.median(hand)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    clauses = sum(question.n_clauses for question in pack.question)
    print(
        f"{options.parcels:,} parcels, {clauses} clauses, {by_lowland(pack, facts):,} outcomes in the trace"
    )
    print(f"pandas by hand, no trace  {statistics.median(hand):7.3f} s")
    print(f"lowland, full trace       {statistics.median(ours):7.3f} s")
    print(f"ratio                     {ratio:7.2f}   (at most {BAR:g})")
    print(
        f"peak memory               {peak:7.2f} GB (at most {BAR_GB:g}; the evidence and both ways together)"
    )
    return int(ratio > BAR or peak > BAR_GB)


if __name__ == "__main__":
    raise SystemExit(main())
