"""Measure the drawing of units: against bounds, against peers, by size, and after an edit.

Type: python bench/units.py bars | quality | peers | coverage | size | edit | steady [--parcels N …]. Peers (spopt, pygeoda, momepy, libpysal) come with
`python3 scripts/bootstrap.py --bench`. `bars [--seeds N …] [--blocks M …] [--components N] [--first N] [--many N] [--old COMMIT|SRC]` sets the default
search beside bounds, beside many rounds of both builds, and beside the default of the old build with its time, in one run; `quality` proves bounds; `peers` gives spopt and pygeoda the same components and adjacency,
only low-efficiency parcels, and the best of several numbers of regions for every component; `coverage` says what more coverage
costs in value; `size` measures adjacency and search
as ratios to libpysal's fuzzy contiguity in one run; `edit` says edits of every kind and holds each answer against the evaluator; `steady` shuffles rows, changes threads and shifts by 500 km.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components
from unit_bars import Asked, bars
from unit_edits import edits
from unit_peers import METHODS, UNCOUNTED, Region, TimedOutError

from lowland_gis.analysis.units.bound import bounds
from lowland_gis.analysis.units.contiguity import barrier_cells
from lowland_gis.analysis.units.draw import Draft, describe, draw_units, search_units
from lowland_gis.analysis.units.facing import facing_lengths
from lowland_gis.analysis.units.ground import Problem, Weights, build_problem
from lowland_gis.analysis.units.judge import judge
from lowland_gis.analysis.units.search import Effort, Found, solve
from unit_instances import (
    Instance,
    bubenec,
    bubenec_small,
    generated,
    gerrymandria,
    gerrymandria_links,
    members_table,
    pysal_example,
    sample_district,
)

TARGETS_HA = (5.0, 10.0, 16.0, 24.0)
# What a m² of low-efficiency land weighs more, from drawing to drawing.
MORE = (0.0, 0.25, 0.5, 1.0, 2.0, 4.0)


def seconds(work: Callable[[], Any]) -> tuple[float, Any]:
    """Return how long a piece of work takes on one core (CPU seconds, so that other programs do not count), and what it gives."""
    start = time.process_time()
    made = work()
    return time.process_time() - start, made


def least_seconds(work: Callable[[], Any], times: int = 3) -> tuple[float, Any]:
    """Return the least of several measurements, which other programs disturb least, and what the work gives."""
    best, made = float("inf"), None
    for _ in range(times):
        made = None  # or two answers are held at once
        took, made = seconds(work)
        best = min(best, took)
    return best, made


def say(*cells: object) -> None:
    """Print a row of a table."""
    print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def quality(parcels: list[int]) -> None:
    """Print value, bound, gap and violations of quick, full and proven drafts."""
    instances = [
        bubenec(),
        bubenec_small(),
        *(pysal_example(name) for name in ("columbus", "mexico", "sids2")),
        gerrymandria(),
    ]
    instances += [make(count) for count in parcels or [1_000] for make in (generated, sample_district)]
    warm = generated(400)
    search_units(build_problem(warm.parcels, warm.cells), warm.cells, Effort(rounds=1, proof=1))
    say(
        "instance",
        "effort",
        "parcels",
        "components",
        "units",
        "value ha",
        "bound ha",
        "value / bound",
        "coverage",
        "broken rules",
        "s",
    )
    for instance in instances:
        problem = build_problem(instance.parcels, instance.cells, instance.limits, instance.weights)
        efforts = {"quick": Effort(rounds=0), "full": Effort(rounds=16), "proven": Effort(rounds=16, proof=8)}
        for name, effort in efforts.items():
            took, draft = seconds(lambda p=problem, i=instance, e=effort: search_units(p, i.cells, e))
            say(*_row(instance, problem, name, draft), f"{took:.1f}")


def _row(instance: Instance, problem: Problem, name: str, draft: Draft) -> tuple[object, ...]:
    value, bound = draft.value_m2 / 10_000, draft.bound_m2 / 10_000
    sizes = len(problem.cell), len(problem.bounds) - 1, len(draft.units)
    return (
        instance.name,
        name,
        *sizes,
        f"{value:.2f}",
        f"{bound:.2f}",
        f"{1 - draft.gap:.2%}",
        f"{draft.coverage:.3f}",
        len(draft.findings),
    )


def by_size(parcels: list[int]) -> None:
    """Print times by size as ratios to libpysal's fuzzy contiguity, and the peak of memory."""
    from libpysal.weights import fuzzy_contiguity  # noqa: PLC0415 - a peer

    small = generated(600)
    for effort in (Effort(rounds=0), Effort(rounds=1)):
        draw_units(small.parcels, small.cells, effort=effort)
    say(
        "parcels",
        "fuzzy s",
        "fuzzy over lanes s",
        "adjacency s",
        "ratio",
        "quick search s",
        "search / adjacency",
        "bound s",
        "ledger and outlines s",
        "value ha",
        "gap",
        "coverage",
        "peak MB",
    )
    for count in parcels or [1_000, 3_000, 10_000, 30_000, 50_000, 100_000]:
        instance = generated(count)
        shapes = instance.parcels.geometry.to_numpy()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            fuzzy, _ = least_seconds(lambda i=instance: fuzzy_contiguity(i.parcels))
            lanes, _ = least_seconds(
                lambda i=instance: fuzzy_contiguity(i.parcels, buffering=True, buffer=5.0)
            )
        adjacency, _ = least_seconds(lambda s=shapes: facing_lengths(s, 10.0))
        problem = build_problem(instance.parcels, instance.cells)
        search, found = least_seconds(lambda p=problem: solve(p, Effort(rounds=0)))
        proof, (bound, found) = seconds(lambda p=problem, f=found: bounds(p, f, Effort(rounds=0)))
        units = [unit for part in found for unit in part.units]
        told, draft = seconds(lambda p=problem, i=instance, u=units, b=bound: describe(p, i.cells, u, b))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        say(
            f"{len(shapes):,}", f"{fuzzy:.2f}", f"{lanes:.2f}", f"{adjacency:.2f}", f"{adjacency / fuzzy:.2f}", f"{search:.2f}", f"{search / adjacency:.2f}",
            f"{proof:.1f}", f"{told:.1f}", f"{draft.value_m2 / 10_000:.1f}", f"{draft.gap:.2%}", f"{draft.coverage:.3f}", f"{peak:.0f}",
        )  # fmt: skip


def steady(parcels: list[int]) -> None:
    """Print whether shuffled rows and threads give the same bytes, and what a shift by 500 km changes."""
    for count in parcels or [10_000]:
        instance = generated(count)
        for rounds in (0, 4):
            first = draw_units(instance.parcels, instance.cells, effort=Effort(rounds=rounds))
            shuffled = draw_units(
                instance.parcels.sample(frac=1, random_state=1), instance.cells, effort=Effort(rounds=rounds)
            )
            threads = draw_units(instance.parcels, instance.cells, effort=Effort(rounds=rounds, threads=2))
            same = [_bytes(first) == _bytes(other) for other in (shuffled, threads)]
            away = instance.parcels.assign(geometry=instance.parcels.translate(500_000, 500_000))
            towns = instance.towns.assign(geometry=instance.towns.translate(500_000, 500_000))
            lines = shapely.transform(instance.barriers, lambda points: points + 500_000)
            moved = draw_units(away, barrier_cells(towns, lines), effort=Effort(rounds=rounds)).value_m2
            print(
                f"{instance.name}, rounds {rounds}: shuffled same {same[0]}, two threads same {same[1]}, shift changes the value by {moved / first.value_m2 - 1:+.5%}"
            )
    _enclosures()
    instance = gerrymandria()
    problem = build_problem(instance.parcels, instance.cells)
    links = zip(problem.links["first"], problem.links["second"], strict=True)
    ours = {(str(problem.ids[one]), str(problem.ids[other])) for one, other in links}
    print(f"{instance.name}: {len(ours)} neighbours, the same as its graph {ours == gerrymandria_links()}")


def _bytes(draft: Draft) -> tuple[str, str, bytes]:
    frame = draft.units.drop(columns="geometry")
    return draft.members.to_csv(), frame.to_csv(), b"".join(shapely.to_wkb(draft.units.geometry.to_numpy()))


def _enclosures() -> None:
    """Print whether the faces of the barriers are those of momepy.enclosures."""
    import momepy  # noqa: PLC0415 - a peer

    for instance in (bubenec(), generated(2_000), sample_district(2_000)):
        ours = barrier_cells(instance.towns, instance.barriers)
        towns = shapely.get_parts(shapely.boundary(instance.towns.geometry.to_numpy()))
        # Noded first: momepy polygonises lines as they are, and lines of towns run along each other.
        noded = shapely.get_parts(shapely.union_all(np.concatenate([instance.barriers, towns])))
        lines = gpd.GeoSeries(noded, crs=instance.towns.crs)
        whole = gpd.GeoSeries([instance.towns.union_all()], crs=lines.crs)
        theirs = momepy.enclosures(lines, limit=whole, clip=True)
        areas = np.sort(ours.area.to_numpy()), np.sort(theirs.area.to_numpy())
        same = len(ours) == len(theirs) and np.allclose(*areas, rtol=1e-6, atol=1e-3)
        print(f"{instance.name}: {len(ours)} blocks, momepy.enclosures {len(theirs)}, same areas {same}")


# ---------------------------------------------------------------------------------------------------------- peers


def peers(parcels: list[int]) -> None:
    """Print what regionalisations of the low-efficiency parcels are worth, judged by the same evaluator."""
    say("instance", "method", "value ha", "coverage", "units kept", "regions that break a rule", "s")
    for count in parcels or [1_000, 10_000]:
        instance = generated(count)
        problem = build_problem(instance.parcels, instance.cells)
        solve(problem, Effort(rounds=0))
        for name, effort in (
            ("lowland, quick", Effort(rounds=0)),
            ("lowland, 8 rounds", Effort(rounds=8)),
            ("lowland, 16 rounds", Effort(rounds=16)),
        ):
            took, found = seconds(lambda p=problem, e=effort: solve(p, e))
            _tell(instance, problem, name, _labels(problem, found), took)
        for name, (region, most) in METHODS.items():
            if len(problem.cell) <= most:
                took, labels = seconds(
                    lambda p=problem, r=region, c=name not in UNCOUNTED: _regions(p, r, counted=c)
                )
                _tell(instance, problem, name, labels, took)


def _tell(instance: Instance, problem: Problem, name: str, labels: Any, took: float) -> None:
    kept, broken = _kept(problem, labels)
    value = kept.units["value_m2"].sum() / 10_000
    coverage = kept.units["low_m2"].sum() / problem.ground.low.sum()
    say(
        instance.name,
        name,
        f"{value:.1f}",
        f"{coverage:.3f}",
        len(kept.units),
        f"{broken:.0%}",
        f"{took:.2f}",
    )


def _kept(problem: Problem, labels: Any) -> tuple[Any, float]:
    """Judge labels; regions that break a rule or are worth nothing are left out, as a planner would."""
    judged = judge(problem, members_table(problem.ids, labels))
    bad = set(judged.findings["unit_id"])
    good = judged.units[~judged.units["unit_id"].isin(bad) & (judged.units["value_m2"] > 0)]
    return type(judged)(good, judged.findings), len(bad) / max(1, len(judged.units))


def _regions(problem: Problem, region: Region, *, counted: bool) -> Any:
    """Run a peer on every component of low-efficiency parcels with several numbers of regions and take the best."""
    ground, links = problem.ground, problem.links
    low = problem.free & (ground.low > 0)
    first, second = links["first"].to_numpy(), links["second"].to_numpy()
    both = low[first] & low[second]
    first, second = first[both], second[both]
    graph = coo_matrix((np.ones(len(first)), (first, second)), shape=(len(low), len(low))).tocsr()
    graph = graph + graph.T
    component = connected_components(graph, directed=False)[1]
    labels, free_label = np.full(len(low), -1), 0
    for number in np.unique(component[low]):
        nodes = np.flatnonzero((component == number) & low)
        if ground.area[nodes].sum() < ground.least:
            continue
        best = _best_regions(problem, graph[nodes][:, nodes], nodes, region, counted=counted)
        if best is not None:
            labels[nodes] = best + free_label
            free_label = labels.max() + 1
    return labels


def _best_regions(problem: Problem, graph: Any, nodes: Any, region: Region, *, counted: bool) -> Any:
    area = problem.ground.area[nodes].sum() / 10_000
    counts = sorted(
        {max(1, round(area / target)) for target in TARGETS_HA} | {max(1, int(np.ceil(area / 29)))}
    )
    if not counted:
        # Once, where there is more than one region to be had.
        counts = [*counts[: counts.count(1)], *[2][: max(counts) - 1]]
    frame = _attributes(problem, nodes)
    best, top = None, 0.0
    for count in [count for count in counts if count < len(nodes)] or [1]:
        try:
            labels = (
                np.zeros(len(nodes), dtype=np.int64)
                if count == 1
                else np.asarray(region(frame, graph, count, problem.ground.least))
            )
        except (TimedOutError, Exception):  # noqa: BLE001, S112 - a peer that fails on a component has no answer there
            continue
        whole = np.full(len(problem.cell), -1)
        whole[nodes] = labels
        worth = _quick_worth(problem, whole, nodes)
        if worth > top:
            best, top = labels, worth
    return best


def _quick_worth(problem: Problem, whole: Any, nodes: Any) -> float:
    from lowland_gis.analysis.units.value import KEPT, desk_of, value_and_rule  # noqa: PLC0415 - only here

    desk = desk_of(problem.ground)
    judged = [
        value_and_rule(problem.ground, desk, nodes[whole[nodes] == label])
        for label in np.unique(whole[nodes])
    ]
    return sum(value for value, rule in judged if rule == KEPT and value > 0)


def _attributes(problem: Problem, nodes: Any) -> gpd.GeoDataFrame:
    frame = problem.parcels.iloc[nodes][["area_m2", "geometry"]].reset_index(drop=True)
    centres = shapely.get_coordinates(shapely.centroid(frame.geometry.to_numpy()))
    codes = problem.ground.codes[:, nodes]
    extra = {f"code{row}": 200.0 * codes[row] for row in range(len(codes))}
    return frame.assign(
        x=centres[:, 0] - centres[:, 0].mean(), y=centres[:, 1] - centres[:, 1].mean(), **extra
    )


def coverage(parcels: list[int]) -> None:
    """Print what coverage costs: drawings with low-efficiency land weighed more and more, told by the usual weights.

    No drawing has a value V and a coverage C with V + more · C · low above the bound of its row.
    """
    say(
        "instance",
        "more",
        "value ha",
        "coverage",
        "units",
        "V + more · C · low ha",
        "at most ha",
        "low ha",
        "s",
    )
    for count in parcels or [1_000, 10_000]:
        instance = generated(count)
        usual = build_problem(instance.parcels, instance.cells)
        low = usual.ground.low.sum() / 10_000
        for more in MORE:
            weights = Weights(**{name: weight / (1 + more) for name, weight in vars(Weights()).items()})
            problem = build_problem(instance.parcels, instance.cells, weights=weights)
            effort = Effort(rounds=4)
            took, (bound, found) = seconds(lambda p=problem, e=effort: bounds(p, solve(p, e), e))
            judged = judge(usual, members_table(usual.ids, _labels(usual, found)))
            value, share = judged.value_m2 / 10_000, judged.units["low_m2"].sum() / 10_000 / low
            say(
                instance.name, more, f"{value:.1f}", f"{share:.3f}", len(judged.units), f"{value + more * share * low:.1f}",
                f"{bound * (1 + more) / 10_000:.1f}", f"{low:.1f}", f"{took:.0f}",
            )  # fmt: skip


def _labels(problem: Problem, found: list[Found]) -> Any:
    labels = np.full(len(problem.cell), -1)
    for number, unit in enumerate(unit for part in found for unit in part.units):
        labels[unit] = number
    return labels


MEASURES = {
    "quality": quality,
    "peers": peers,
    "coverage": coverage,
    "size": by_size,
    "edit": edits,
    "steady": steady,
}


def main() -> int:
    """Run one measurement."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["bars", *MEASURES])
    parser.add_argument("--parcels", type=int, nargs="*", default=[])
    of_bars = parser.add_argument_group("of bars")
    for name, usual in (("--seeds", Asked.seeds), ("--blocks", Asked.blocks)):
        of_bars.add_argument(name, type=int, nargs="*", default=usual)
    for name, number in (
        ("--components", Asked.components), ("--first", Asked.first), ("--many", Asked.many), ("--proof", Asked.proof),
        ("--proven-up-to", Asked.proven_up_to),
    ):  # fmt: skip
        of_bars.add_argument(name, type=int, default=number)
    of_bars.add_argument(
        "--old", default=Asked.old, help="a commit of this repository, or the sources of a build"
    )
    of_bars.add_argument(
        "--both",
        action=argparse.BooleanOptionalAction,
        default=Asked.both,
        help="many rounds of the old build too",
    )
    of_bars.add_argument(
        "--cadastre", action=argparse.BooleanOptionalAction, default=Asked.cadastre, help="bubenec too"
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    if options.what == "bars":
        names = Asked.__dataclass_fields__
        given = {name: value for name, value in vars(options).items() if name in names}
        bars(Asked(**given | {"parcels": options.parcels or Asked.parcels}))
        return 0
    MEASURES[options.what](options.parcels)
    return 0


if __name__ == "__main__":
    sys.exit(main())
