"""Compile what a classification calls, unless it is kept already: `python -m lowland_gis.analysis.rules`.

An installation does it once, so that the first classification need not.
"""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd

from lowland_gis.analysis.rules.decide import Facts, decide
from lowland_gis.analysis.rules.pack import Clause, Question, Rule, RulePack

if __name__ == "__main__":
    rule = Rule("r", "空置", "low", "第一条", (Clause("vacant_share", ">=", 0.5, "空置"),))
    question = Question("kind", "类型", "none", {"low": "低效", "none": "非低效"}, (rule,))
    facts = Facts.of(pd.DataFrame({"vacant_share": [0.7, 0.2, np.nan]}, index=["A", "B", "C"]))
    verdicts = decide(
        RulePack("p", "p", "d", dt.date(2024, 1, 1), example=True, question=(question,)), facts
    ).frame()
    if list(verdicts["answer"]) != ["low", "none", "open"]:
        raise SystemExit(f"the machine code of the rules is wrong: {list(verdicts['answer'])}")
