"""What a geodatabase says of its layers beside their rows: titles, codes with their names, relationships; all in its table GDB_Items."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from xml.etree import ElementTree as ET  # expat of this Python limits entities

import pyogrio.raw

from lowland_gis.files.gdal_path import GDAL_ERRORS, gdal_source
from lowland_gis.files.gdal_words import GdalWords
from lowland_gis.files.source import Source

ITEMS = "GDB_Items"
_CODED, _RELATION = "CodedValue", "DERelationshipClassInfo"


@dataclass(frozen=True)
class Field:
    """The title of a field, and the name of the list that its codes are of; None where there is none."""

    title: str | None = None
    codes: str | None = None


@dataclass(frozen=True)
class Described:
    """The titles of layers, their fields by layer, lists of codes (code = name), and relationships in words."""

    titles: dict[str, str] = field(default_factory=dict)
    fields: dict[str, dict[str, Field]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    relations: tuple[str, ...] = ()

    def layer_called(self, title: str) -> str | None:
        """Return the layer of a title, None where none or several have it."""
        found = [name for name, said in self.titles.items() if said.casefold() == title.casefold()]
        return found[0] if len(found) == 1 else None


def described(source: Source) -> Described:
    """Return what a file geodatabase says of its layers; nothing where it does not, or is another file."""
    if source.driver != "OpenFileGDB":
        return Described()
    try:
        with GdalWords().heard(), gdal_source(source.path) as path:
            _, _, _, (definitions,) = pyogrio.raw.read(
                path, layer=ITEMS, columns=["Definition"], read_geometry=False
            )
    except (*GDAL_ERRORS, ValueError):
        # Geodatabases before version 10 have other tables; their rows are read all the same.
        return Described()
    return parsed(each for each in definitions if isinstance(each, str))


def parsed(definitions: Iterable[str]) -> Described:
    """Return what the definitions of a geodatabase's items say; one that is no XML says nothing.

    >>> parsed(["<Info><Name>DLTB</Name><AliasName>地类图斑</AliasName></Info>", "<cut"]).titles
    {'DLTB': '地类图斑'}
    """
    found = Described()
    relations = []
    for item in _items(definitions):
        name = _text(item, "Name")
        if item.tag.endswith(_RELATION):
            relations.append(_relation(item, name))
        elif item.find(".//CodedValues") is not None and name is None:
            listed = item.iter(_CODED)
            found.codes[_text(item, "DomainName") or ""] = {
                _text(each, "Code") or "": _text(each, "Name") or "" for each in listed
            }
        elif name:
            title = _text(item, "AliasName")
            if title and title != name:
                found.titles[name] = title
            found.fields[name] = dict(_fields(item))
    return Described(found.titles, found.fields, found.codes, tuple(relations))


def _items(definitions: Iterable[str]) -> Iterator[ET.Element]:
    for definition in definitions:
        if "<!" in definition:
            continue
        try:
            yield ET.fromstring(definition)  # noqa: S314 - no entities, see above
        except ET.ParseError:
            continue


def _fields(item: ET.Element) -> Iterator[tuple[str, Field]]:
    for each in item.iter("GPFieldInfoEx"):
        name, title = _text(each, "Name"), _text(each, "AliasName")
        codes = _text(each, "DomainName") or _text(each, "Domain/DomainName")
        if name and (codes or (title and title != name)):
            yield name, Field(title if title != name else None, codes)


def _relation(item: ET.Element, name: str | None) -> str:
    origin, destination = (_text(item, f"{end}ClassNames/Name") or "?" for end in ("Origin", "Destination"))
    keys = [_text(each, "ObjectKeyName") or "?" for each in item.iter("RelationshipClassKey")]
    by = f" by {', '.join(dict.fromkeys(keys))}" if keys else ""
    return f"{name}: {origin} → {destination}{by}"


def _text(item: ET.Element, path: str) -> str | None:
    text = item.findtext(path)
    return text.strip() or None if text else None
