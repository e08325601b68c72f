"""Attribute checks on the fields of one layer: frames of texts in, findings out.

`values` holds one column a field, every value as text or None, rows numbered from 0. A finding has `row`, `subject` (the
field), `value`, `limit` and `detail` (the text that was found); `other` is a second row or -1.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

Flags = npt.NDArray[np.bool_]
Floats = npt.NDArray[np.float64]

# GB 32100-2015: the signs leave out I, O, S, V and Z; the weights are powers of 3 modulo 31.
CREDIT_SIGNS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
CREDIT_LENGTH = 18


def found(
    mask: npt.ArrayLike,
    subject: str,
    *,
    value: npt.ArrayLike = np.nan,
    limit: float = np.nan,
    detail: pd.Series | Sequence[str] | str = "",
) -> pd.DataFrame:
    """Return a finding for every row of a mask; `value` and `detail` are of all rows or one for all."""
    rows = np.flatnonzero(np.asarray(mask, dtype=bool))
    values = np.broadcast_to(np.asarray(value, dtype=float), np.shape(mask))[rows]
    details = [detail] * len(rows) if isinstance(detail, str) else list(pd.Series(detail).iloc[rows])
    return pd.DataFrame(
        {"row": rows, "other": -1, "subject": subject, "value": values, "limit": limit, "detail": details}
    )


def matches(codes: pd.Series, patterns: Collection[str]) -> Flags:
    """Return which codes are among the patterns; a trailing * stands for every code that begins so, "" for none."""
    texts = codes.fillna("").astype(str)
    exact = {pattern for pattern in patterns if not pattern.endswith("*")}
    starts = tuple(pattern[:-1] for pattern in patterns if pattern.endswith("*"))
    chosen = texts.isin(exact)
    if starts:
        chosen |= texts.str.startswith(starts)
    return np.asarray(chosen, dtype=bool)


def selected(values: pd.DataFrame, when: Mapping[str, Sequence[str]]) -> Flags:
    """Return the rows whose fields have one of the values that a check is limited to."""
    chosen = np.ones(len(values), dtype=bool)
    for field, patterns in when.items():
        chosen &= matches(values[field], patterns)
    return chosen


def mandatory(values: pd.DataFrame, field: str) -> pd.DataFrame:
    """Return rows where a field is empty."""
    return found(_empty(values[field]), field)


def one_for_all(findings: pd.DataFrame, groups: npt.NDArray[np.int64]) -> pd.DataFrame:
    """Return findings with one in place of those about one subject that every row of a group has.

    `groups` has the group of every row, such as its delivery. The one that stays is that of the first row; `whole` is how many
    rows it stands for, 0 where a finding stands for its own row.
    """
    if findings.empty:
        return findings.assign(whole=pd.Series(dtype=int))
    sizes = np.unique(groups, return_counts=True)
    size = dict(zip(sizes[0].tolist(), sizes[1].tolist(), strict=True))
    group = pd.Series(groups[findings["row"].to_numpy(dtype=np.intp)], index=findings.index)
    together = findings.groupby([findings["subject"], group], sort=False)["row"]
    whole = (together.transform("size") == group.map(size)) & (group.map(size) > 1)
    kept = findings.assign(whole=group.map(size).where(whole, 0))
    return kept[~whole | (together.cumcount() == 0)].reset_index(drop=True)


def domain(values: pd.DataFrame, field: str, permitted: Collection[str]) -> pd.DataFrame:
    """Return rows whose field has a value that is not permitted; empty is a matter of `mandatory`."""
    strange = ~_empty(values[field]) & ~values[field].isin(permitted).to_numpy()
    return found(strange, field, detail=_quoted(values[field]))


def pattern(values: pd.DataFrame, field: str, expression: str) -> pd.DataFrame:
    """Return rows whose field does not match an expression as a whole."""
    texts = values[field].fillna("").astype(str)
    strange = ~_empty(values[field]) & ~texts.str.fullmatch(expression).to_numpy(dtype=bool)
    return found(strange, field, detail=_quoted(values[field]))


def in_range(
    values: pd.DataFrame,
    field: str,
    *,
    minimum: float | None = None,
    below: float | None = None,
    exclusive: bool = False,
) -> pd.DataFrame:
    """Return rows whose number is under the minimum (or equal to it where exclusive), or not under `below`."""
    amount = numbers(values[field])
    parts = []
    if minimum is not None:
        low = amount <= minimum if exclusive else amount < minimum
        parts.append(found(low, field, value=amount, limit=minimum))
    if below is not None:
        parts.append(found(amount >= below, field, value=amount, limit=below))
    return pd.concat(parts, ignore_index=True)


def unique(values: pd.DataFrame, field: str) -> pd.DataFrame:
    """Return every row after the first with the same value, with the first beside it; the value is how often it occurs."""
    texts = values[field]
    repeated = ~_empty(texts) & texts.duplicated().to_numpy()
    times = texts.map(texts.value_counts()).to_numpy(dtype=float)
    first = pd.Series(np.arange(len(texts)), dtype=np.intp).groupby(texts.to_numpy()).transform("first")
    findings = found(repeated, field, value=times, limit=1, detail=_quoted(texts))
    return findings.assign(other=first.to_numpy(dtype=float)[findings["row"]].astype(np.intp))


def unique_within(values: pd.DataFrame, field: str, units: Sequence[str]) -> pd.DataFrame:
    """Return every row after the first with the same value in the same units; rows that lack one of them are passed over."""
    together = values[field].astype(str)
    known = ~_empty(values[field])
    for unit in units:
        together = together + "\0" + values[unit].astype(str)
        known &= ~_empty(values[unit])
    found_in = unique(pd.DataFrame({field: together.where(known, None)}), field)
    return found_in.assign(detail=_quoted(values[field]).iloc[found_in["row"]].to_numpy())


def date_order(values: pd.DataFrame, fields: Sequence[str]) -> pd.DataFrame:
    """Return rows where a day comes before the day of an earlier field; days are ISO texts, missing ones are passed over."""
    parts = []
    for earlier, later in itertools.combinations(fields, 2):
        first, second = values[earlier].fillna("").astype(str), values[later].fillna("").astype(str)
        # As texts: the year 9999 of many a delivery is beyond the days of some libraries.
        reversed_days = ~_empty(first) & ~_empty(second) & (second < first).to_numpy()
        parts.append(found(reversed_days, later, detail=second + f", before {earlier} " + first))
    return pd.concat(parts, ignore_index=True)


def begins(values: pd.DataFrame, field: str, known: Collection[str], *, digits: int) -> pd.DataFrame:
    """Return rows whose code does not begin as one of the known codes does; shorter ones are a matter of `pattern`."""
    starts = {code[:digits] for code in known}
    strange = ~values[field].fillna("").astype(str).str[:digits].isin(starts).to_numpy()
    long_enough = values[field].fillna("").astype(str).str.len().to_numpy() >= digits
    return found(strange & long_enough, field, detail=_quoted(values[field]))


def only_on(
    values: pd.DataFrame,
    field: str,
    codes: pd.Series,
    *,
    classes: Collection[str],
    permitted: Collection[str] = (),
) -> pd.DataFrame:
    """Return rows where a field is filled on a class that must not have it, or with a value that is not permitted.

    Rows without a class are passed over: that is a finding of its own.
    """
    filled = ~_empty(values[field]) & ~_empty(codes)
    strange = ~matches(codes, classes)
    if permitted:
        strange |= ~values[field].isin(permitted).to_numpy()
    texts = _quoted(values[field]) + " on " + codes.astype(str)
    return found(filled & strange, field, detail=texts)


def combination(
    values: pd.DataFrame,
    field: str,
    codes: pd.Series,
    given: Collection[str],
    *,
    allowed: Collection[str] = (),
    forbidden: Collection[str] = (),
) -> pd.DataFrame:
    """Return rows where a value of a field does not go with the class of the row; rows without a class are passed over."""
    concerned = matches(values[field], given) & ~_empty(codes)
    strange = ~matches(codes, allowed) if allowed else np.zeros(len(values), dtype=bool)
    if forbidden:
        strange |= matches(codes, forbidden)
    texts = values[field].fillna("(empty)").astype(str) + " does not go with " + codes.astype(str)
    return found(concerned & strange, field, detail=texts)


def equation(values: pd.DataFrame, fields: Sequence[str], *, tolerance: float) -> pd.DataFrame:
    """Return rows where the first field is not the second less all others; an empty deduction counts as 0."""
    result, whole, *deductions = fields
    expected = numbers(values[whole])
    for field in deductions:
        expected = expected - np.nan_to_num(numbers(values[field]))
    difference = np.abs(numbers(values[result]) - expected)
    terms = " − ".join((whole, *deductions))
    texts = values[result].astype(str) + f", {terms} is " + pd.Series(np.round(expected, 2)).astype(str)
    return found(difference > tolerance, result, value=difference, limit=tolerance, detail=texts)


def product(values: pd.DataFrame, fields: Sequence[str], *, tolerance: float) -> pd.DataFrame:
    """Return rows where the first field is not the second times what is left of the third less all others.

    Empty fields count as 0; a row where result and share are both empty says nothing.
    """
    result, share, whole, *less = fields
    base = numbers(values[whole])
    for field in less:
        base = base - np.nan_to_num(numbers(values[field]))
    expected = base * np.nan_to_num(numbers(values[share]))
    stated = numbers(values[result])
    said = ~(np.isnan(stated) & np.isnan(numbers(values[share])))
    difference = np.abs(np.nan_to_num(stated) - expected)
    texts = (
        values[result].fillna("(empty)").astype(str)
        + f", {share} makes it "
        + pd.Series(np.round(expected, 2)).astype(str)
    )
    return found(said & (difference > tolerance), result, value=difference, limit=tolerance, detail=texts)


def area(
    values: pd.DataFrame, field: str, area_m2: Floats, *, tolerance_m2: float, above_only: bool = False
) -> pd.DataFrame:
    """Return rows whose geometry has another area than a field says (or, above_only, a larger one), the value in m²."""
    excess = area_m2 - numbers(values[field])
    difference = excess if above_only else np.abs(excess)
    return found(
        difference > tolerance_m2,
        field,
        value=difference,
        limit=tolerance_m2,
        detail=values[field].fillna("").astype(str),
    )


def floor_area(
    values: pd.DataFrame, field: str, storeys: str, area_m2: Floats, *, tolerance_share: float
) -> pd.DataFrame:
    """Return buildings whose floor area is not footprint times storeys, the value as a share of that."""
    expected = area_m2 * numbers(values[storeys])
    stated = numbers(values[field])
    share = np.full(len(values), np.nan)
    np.divide(np.abs(stated - expected), expected, out=share, where=expected > 0)
    return found(
        share > tolerance_share,
        field,
        value=share,
        limit=tolerance_share,
        detail=values[field].fillna("").astype(str),
    )


def credit_codes(values: pd.DataFrame, field: str) -> pd.DataFrame:
    """Return rows whose unified social credit code has a wrong length, sign or check digit (GB 32100-2015)."""
    filled = ~_empty(values[field])
    texts = values[field].fillna("").astype(str)
    distinct = {text: is_credit_code(text) for text in texts[filled].unique()}
    wrong = filled & ~texts.map(distinct).fillna(False).to_numpy(dtype=bool)  # noqa: FBT003 - pandas' own name
    return found(wrong, field, detail=_quoted(values[field]))


def is_credit_code(text: str) -> bool:
    """Return whether a text is a unified social credit code.

    >>> is_credit_code("91350100M000100Y43"), is_credit_code("91350100M000100Y44")
    (True, False)
    """
    if len(text) != CREDIT_LENGTH or not set(text) <= set(CREDIT_SIGNS):
        return False
    signs = [CREDIT_SIGNS.index(sign) for sign in text]
    total = sum(sign * pow(3, place, 31) for place, sign in enumerate(signs[:-1]))
    return (31 - total % 31) % 31 == signs[-1]


def partner(values: pd.DataFrame, field: str, others: Collection[str]) -> pd.DataFrame:
    """Return rows whose value does not occur in another layer; empty is a matter of `mandatory`."""
    alone = ~_empty(values[field]) & ~values[field].isin(others).to_numpy()
    return found(alone, field, detail=_quoted(values[field]))


def numbers(texts: pd.Series) -> Floats:
    """Return a column of texts as numbers; what is none is NaN."""
    return pd.to_numeric(texts, errors="coerce").to_numpy(dtype=float)


def area_limits(
    codes: pd.Series,
    law_classes: Mapping[str, str],
    limits: Sequence[tuple[float, Collection[str], Collection[str]]],
) -> Floats:
    """Return the smallest area of each row: the first limit (m², classes, classes of the law) that names its class."""
    result = np.full(len(codes), np.nan)
    law = codes.map(law_classes)
    for limit, classes, of_law in reversed(limits):
        result[matches(codes, classes) | law.isin(of_law).to_numpy()] = limit
    return result


def _empty(texts: pd.Series) -> Flags:
    return np.asarray(texts.isna() | (texts.astype(str).str.strip() == ""), dtype=bool)


def _quoted(texts: pd.Series) -> pd.Series:
    return "“" + texts.fillna("").astype(str) + "”"
