"""Decide what the layers of a bureau's folder are to a project: pure, from what inspect says of them to deliveries with their doubts."""

from __future__ import annotations

import datetime as dt
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from pyproj import Transformer

from lowland_gis.analysis.fields.recognise import Fit
from lowland_gis.analysis.geometry.extent import Reading, readings
from lowland_gis.analysis.geometry.plane import DEFAULT_CRS
from lowland_gis.definitions.layer import LayerDefinition, layer_definition, layer_keys
from lowland_gis.errors import InputRefusedError, UsageError
from lowland_gis.files.crs import reference
from lowland_gis.files.planes import advice, fitting
from lowland_gis.pipeline.intake.bureau_folder import Seen
from lowland_gis.pipeline.intake.inspection import Inspection
from lowland_gis.settings import gauss_plane

_LEAST_SCORE = 0.1
# Below this share of known fields a person should look; a runner-up from this share of the best is named.
_SURE, _CLOSE = 0.3, 0.5
_EQUAL = 1e-9
# Boundary layers have the same fields; the length of their codes tells them apart.
_BY_CODE_LENGTH = {6: "district", 9: "town", 12: "village"}
_BOUNDARY_CODE = "XZQDM"
# From this share of the smaller extent on two deliveries are taken for editions of the same land, not for parts of it.
_SAME_LAND = 0.5
_MAIN_SHARE, _STRAY_SHARE = 0.5, 0.02
_DAY = re.compile(r"(?<!\d)((?:19|20)\d{2})[-_.年]?(\d{2})[-_.月]?(\d{2})日?(?!\d)")
_YEAR = re.compile(r"(?<!\d)((?:19|20)\d{2})(?!\d)")
_GEOMETRY = {"Polygon": "polygon", "Line": "line", "Curve": "polygon", "Surface": "polygon", "Point": "point"}


@dataclass(frozen=True)
class Choice:
    """The layer that a file is taken for; `runner_up` fits nearly as well, `doubt` says why a person should look."""

    key: str
    runner_up: str | None = None
    doubt: str | None = None


@dataclass(frozen=True)
class District:
    """Whose land it is, as far as the files say; `left_out` are the files of another district with its code."""

    code: str | None
    name: str | None
    left_out: Mapping[str, str]
    doubts: tuple[str, ...] = ()


def chosen(found: Inspection) -> Choice | None:
    """Return the layer that the fields of a file make; None where they make none."""
    if not found.fits:
        return None if found.chosen is None else Choice(found.chosen)
    best = found.fits[0]
    if best.score < _LEAST_SCORE:
        return None
    tied = [fit.key for fit in found.fits if best.score - fit.score < _EQUAL]
    key = _by_code_length(found, tied) or best.key
    second = next(
        (fit.key for fit in found.fits if fit.key != key and fit.score >= _CLOSE * best.score), None
    )
    return Choice(key, second, _doubt(found, best, key, tied))


def _doubt(found: Inspection, best: Fit, key: str, tied: Sequence[str]) -> str | None:
    told = _by_code_length(found, tied) is not None or _of_its_year(found, key) or _called_so(found, key)
    if len(tied) > 1 and not told:
        others = " and ".join(other for other in tied if other != key)
        return f"its fields fit {others} as well; only its name speaks for {key}"
    if best.explained_share < _SURE and best.covered_share < _SURE:
        return f"only {best.explained_share:.0%} of its fields are fields of {key}"
    return None


def _by_code_length(found: Inspection, tied: Sequence[str]) -> str | None:
    column = next((column for column in found.columns if column.name.upper() == _BOUNDARY_CODE), None)
    key = None if column is None else _BY_CODE_LENGTH.get(column.longest)
    return key if key in tied and len(tied) > 1 else None


def _of_its_year(found: Inspection, key: str) -> bool:
    """Tell whether the data year of a file is the one of a layer that always shows the same day."""
    day, year = layer_definition(key).as_of, data_year(found)
    return day is not None and year == day.year


def data_year(found: Inspection) -> int | None:
    """Return the one data year (SJNF 数据年份) of a file; None where it has none or several."""
    codes = next((column.codes for column in found.columns if column.name.upper() == "SJNF"), None)
    text = next(iter(codes), "") if codes and len(codes) == 1 else ""
    return int(text) if _YEAR.fullmatch(text) else None


def _called_so(found: Inspection, key: str) -> bool:
    words = {word.upper() for word in (PurePath(found.source).stem, *(found.layer or "").split())}
    definition = layer_definition(key)
    return bool(words & {key.upper(), definition.title.upper(), *map(str.upper, definition.names)})


def by_name(one: Seen) -> Choice | None:
    """Return the layer that a file without known fields is called by, where its geometry is that of the layer.

    A layer among several goes by its own name; the file is named after all of them.
    """
    stem = PurePath(one.found.source.partition(":")[0]).stem
    for name in (one.found.layer, None if one.of_several else stem):
        hits = [
            definition
            for definition in map(layer_definition, layer_keys())
            if name and _geometry_agrees(one.found, definition) and _names_it(definition, name)
        ]
        if hits:
            # The longer name is the more particular one: a plan_parcel is no parcel.
            best = max(hits, key=lambda definition: (len(definition.title), definition.key))
            return Choice(best.key, doubt="no field is known; only its name speaks for it")
    return None


def _names_it(definition: LayerDefinition, name: str) -> bool:
    """Tell whether a name is that of a layer, also with a number behind it or in the plural, or holds its Chinese title."""
    bare = re.sub(r"[\W\d_]+$", "", name.casefold())
    words = {bare, *re.split(r"[\W\d_]+", name.casefold())}
    key = definition.key
    return bool(words & {key, f"{key}s", f"{key.removesuffix('y')}ies"}) or definition.title in name


def _geometry_agrees(found: Inspection, definition: LayerDefinition) -> bool:
    return definition.geometry == geometry_kind(found)


def geometry_kind(found: Inspection) -> str:
    """Return polygon, line, point, table or raster: what a layer must be to take the file."""
    if found.driver == "GTiff":
        return "raster"
    kinds = (found.geometry or {}).get("kinds") or {}
    most = max(kinds, key=lambda kind: kinds[kind], default=None)
    if most is None:
        return "table" if found.extent is None else "polygon"
    return next((kind for word, kind in _GEOMETRY.items() if word in most), "table")


def most_polygons(seen: Iterable[Seen]) -> Seen | None:
    """Return the polygon layer with the most records, which is what parcels are among layers of unknown fields."""
    drawn = [one for one in seen if geometry_kind(one.found) == "polygon" and one.found.n_rows]
    return max(drawn, key=lambda one: (one.found.n_rows, one.shown), default=None)


def plane_of(seen: Sequence[Seen], folder: str, given: str | None) -> tuple[str, str | None]:
    """Return the plane of the project, and what a person should know of how it was found.

    It is that of the parcels where they lie in one, else that of most files; degrees get the belt of 3° that they lie in.

    Raises:
        UsageError: nothing says which, or the parcels lie in a system that is no plane of CGCS2000.
    """
    if given is not None:
        return given, None
    parcels = [one for one in seen if _is_parcel(one)]
    for some in (parcels, list(seen)):
        votes = Counter(crs for one in some if (crs := _system(one.found)) and _is_plane(crs))
        if votes:
            best = min(votes, key=lambda crs: (-votes[crs], crs))
            return best, _other_planes(seen, best)
    for some in (parcels, list(seen)):
        planes = {plane for one in some if (plane := _belt(one.found)) is not None}
        if len(planes) == 1:
            plane = planes.pop()
            return plane, f"no file lies in a plane of CGCS2000; {plane} is the belt that they lie in"
    return _no_plane(seen, folder)


def _is_parcel(one: Seen) -> bool:
    choice = chosen(one.found)
    return choice is not None and choice.key == "parcel"


def _system(found: Inspection) -> str | None:
    """Return the system that a file is in: as it is used, else as it declares."""
    if found.used_crs is not None or found.declared_crs is None:
        return found.used_crs
    try:
        return reference(found.declared_crs, found.source).name
    except InputRefusedError:
        return None


def _is_plane(crs: str) -> bool:
    try:
        gauss_plane(crs)
    except ValueError:
        return False
    return re.fullmatch(r"EPSG:\d+", crs) is not None


def _other_planes(seen: Sequence[Seen], best: str) -> str | None:
    meridian = gauss_plane(best).central_meridian_deg
    planes = {crs for one in seen if (crs := _system(one.found)) and _is_plane(crs)}
    others = sorted(crs for crs in planes if gauss_plane(crs).central_meridian_deg != meridian)
    if not others:
        return None
    return f"files lie in planes of other belts too ({', '.join(others)}); they are brought to {best}. Give --crs where it is to be another"


def _belt(found: Inspection) -> str | None:
    """Return the plane of the belt in which an extent in degrees lies; None on the edge of two, and for other extents."""
    if found.extent is None or not any(one.meaning.startswith("degrees") for one in _straight(found)):
        return None
    west, _, east, _ = found.extent
    plain = [text.split()[0] for text in fitting(west, east)[::2]]
    return plain[0] if len(plain) == 1 else None


def _straight(found: Inspection) -> list[Reading]:
    if found.extent is None:
        return []
    west, south, east, north = found.extent
    return [one for one in readings((west, south, east, north)) if not one.swapped]


def _no_plane(seen: Sequence[Seen], folder: str) -> tuple[str, str | None]:
    systems = sorted({crs for one in seen if (crs := _system(one.found))})
    if not systems:
        raise UsageError(
            f"{folder}: no file says in which plane it lies. Give it with --crs, for example --crs {DEFAULT_CRS}."
        )
    raise UsageError(
        f"{folder}: no file lies in a plane of CGCS2000, but in {', '.join(systems[:3])}. {advice(systems[0])} "
        "Then, or where the plane is known, give it: --crs EPSG:…"
    )


def system_of(found: Inspection, plane: str) -> str | None:
    """Return the system of CGCS2000 in which the coordinates of a file without one can lie in the project's belt; else None."""
    if found.extent is None or found.declared_crs is not None or found.used_crs is not None:
        return None
    west, south, east, north = found.extent
    meridian = round(gauss_plane(plane).central_meridian_deg)
    for one in readings((west, south, east, north), meridian):
        system = one.systems.get("CGCS2000")
        if not one.swapped and system is not None and _of_belt(system, meridian):
            return system
    return None


def _of_belt(system: str, meridian: int) -> bool:
    return not _is_plane(system) or round(gauss_plane(system).central_meridian_deg) == meridian


def district_of(seen: Sequence[Seen], folder: str, given: str | None) -> District:
    """Say whose land the codes of the files name.

    Raises:
        InputRefusedError: they name two districts and none was given, so the project would mix them.
    """
    names = {code: name for one in seen for code, name in one.names.items()}
    homes = {one.shown: home for one in seen if (home := _home(one)) is not None}
    codes = sorted(set(homes.values()))
    if len(codes) > 1 and (given is None or given not in codes):
        raise InputRefusedError(_two_districts(folder, homes, names))
    code = given if given is not None else next(iter(codes), None)
    left_out = {shown: home for shown, home in homes.items() if len(codes) > 1 and home != code}
    doubts = [_stray(one, str(home)) for one in seen if (home := homes.get(one.shown)) == code and home]
    if given is not None and codes == [one for one in codes if one != given] and codes:
        doubts.append(f"the codes of the files begin with {', '.join(codes)}, not with {given} as was given")
    return District(code, names.get(code or ""), left_out, tuple(text for text in doubts if text))


def _home(one: Seen) -> str | None:
    """Return the district that most codes of a file name; a map of several districts has none."""
    if not one.districts or (one.found.chosen == "district" and len(one.districts) > 1):
        return None
    code, n = one.districts.most_common(1)[0]
    return code if n > _MAIN_SHARE * one.districts.total() else None


def _stray(one: Seen, home: str) -> str:
    total, own = one.districts.total(), one.districts[home]
    if total - own <= _STRAY_SHARE * total:
        return ""
    others = ", ".join(code for code, _ in one.districts.most_common(4) if code != home)
    return f"{one.shown}: {total - own:,} of {total:,} codes begin with {others}, not with {home}"


def _two_districts(folder: str, homes: Mapping[str, str], names: Mapping[str, str]) -> str:
    files = defaultdict(list)
    for shown, code in sorted(homes.items()):
        files[code].append(shown)
    told = "; ".join(
        f"{code}{f' {names[code]}' if code in names else ''}: {', '.join(some)}"
        for code, some in sorted(files.items())
    )
    return (
        f"{folder}: holds files of {len(files)} districts, and a project is one – {told}. "
        f"Give the code of yours (--code {min(files)}); files of the others are then left out."
    )


def day_of(one: Seen, today: dt.date) -> tuple[dt.date | None, str]:
    """Return the day that the data year or the name of a file tells, and by what; a year alone means its last day."""
    year = data_year(one.found)
    if year is not None:
        return dt.date(year, 12, 31), "from its field SJNF"
    for text in (PurePath(one.shown).name, str(PurePath(one.shown).parent)):
        for match in _DAY.finditer(text):
            day = _date(*map(int, match.groups()))
            if day is not None and day <= today:
                return day, "from its name"
        years_named = [year for year in map(int, _YEAR.findall(text)) if year <= today.year]
        if len(set(years_named)) == 1:
            return min(dt.date(years_named[0], 12, 31), today), "from its name"
    return None, ""


def _date(year: int, month: int, day: int) -> dt.date | None:
    try:
        return dt.date(year, month, day)
    except ValueError:
        return None


def same_content(one: Inspection, other: Inspection) -> bool:
    """Tell whether two files look like copies of one: the same fields with the same first values, records and extent."""
    return (one.columns, one.n_rows, one.extent) == (other.columns, other.n_rows, other.extent)


def same_land(one: Inspection, other: Inspection, plane: str) -> bool:
    """Tell whether two polygon layers lie mostly over each other, as editions do and parts do not."""
    if geometry_kind(one) != "polygon":
        return False
    boxes = [_box(found, plane) for found in (one, other)]
    if boxes[0] is None or boxes[1] is None:
        return False
    (west, south, east, north), (west2, south2, east2, north2) = boxes[0], boxes[1]
    width, height = min(east, east2) - max(west, west2), min(north, north2) - max(south, south2)
    smaller = min((east - west) * (north - south), (east2 - west2) * (north2 - south2))
    return width > 0 and height > 0 and width * height > _SAME_LAND * smaller


def _box(found: Inspection, plane: str) -> tuple[float, float, float, float] | None:
    """Return an extent on the plane; None where its system has no number, so that nothing is known to bring it there."""
    if found.extent is None or not (found.used_crs or "").startswith("EPSG:"):
        return None
    west, south, east, north = found.extent
    return Transformer.from_crs(found.used_crs, plane, always_xy=True).transform_bounds(
        west, south, east, north
    )


def part_names(shown: Sequence[str]) -> list[str]:
    """Return the shortest names that tell files apart: the last part of the path without its suffix, else the path."""
    stems = [PurePath(text).stem if ":" not in text else PurePath(text).name for text in shown]
    return stems if len(set(stems)) == len(stems) else [re.sub(r"[/\\]", " ", text) for text in shown]
