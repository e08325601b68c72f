"""Whether package and map of the flow are still what would be filed now: told by what they rest on, and by the files themselves."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from lowland_gis.db.connect import Connection
from lowland_gis.definitions.package import package_definition
from lowland_gis.errors import LowlandError
from lowland_gis.files.whole import write_text
from lowland_gis.pipeline.base.chain import newest_decision
from lowland_gis.pipeline.base.holding import held_records
from lowland_gis.pipeline.base.program import products_version
from lowland_gis.pipeline.base.project import Project
from lowland_gis.pipeline.base.requests import DELINEATE, DETERMINE, DRAFT
from lowland_gis.pipeline.base.runs import current_versions, digest_of, numbered
from lowland_gis.pipeline.base.telling import Tell
from lowland_gis.products.package.check import check
from lowland_gis.products.package.staging import MANIFEST

RECORD = Path(".lowland") / "products.json"


@dataclass(frozen=True)
class Filed:
    """A package and a map as they were filed: where, the digests of manifest and map, and what was said of them.

    `basis` is the digest of all that they rest on; `stale` says which frozen units rest on other verdicts.
    """

    basis: str
    package: str
    n_files: int
    manifest_sha256: str
    picture: str
    picture_sha256: str
    warnings: tuple[str, ...] = ()
    stale: str | None = None


_ADAPTER = TypeAdapter(Filed)


def product_text(filed: Filed) -> str:
    """Return what stands where, for the terminal."""
    said = "" if filed.stale is None else f"\n{filed.stale}"
    return f"{filed.package} ({filed.n_files} files), {filed.picture}{said}"


def still_filed(project: Project, *, tell: Tell) -> Filed | None:
    """Return what was filed where it still is what would be filed now, and nobody has touched it; warnings are told again."""
    filed = _recorded(project)
    if filed is None:
        return None
    with project.snapshot() as connection:
        if products_basis(connection, project) != filed.basis or not _untouched(filed):
            return None
    tell(f"package and map hold already: {filed.package}, {filed.picture}")
    for warning in filed.warnings:
        tell(warning)
    return filed


def products_basis(connection: Connection, project: Project) -> str | None:
    """Return the digest of all that the package and the map rest on; None where stages do not hold that they are made of."""
    held = held_records(connection, project)
    if DELINEATE not in held or DETERMINE not in held:
        return None
    settings = project.settings
    definition = package_definition(settings.package.definition, settings.folder)
    versions = [version for layer in current_versions(connection).values() for version in layer]
    return digest_of(
        {
            "program": products_version(),
            "settings": settings.model_dump(mode="json"),
            "package": definition.model_dump(mode="json"),
            "legend": project.legend.digest,
            "definitions": dict(project.definitions.digests),
            "runs": {stage: [record.run_id, record.digest] for stage, record in held.items()},
            "deliveries": numbered(versions),
            "entries": _entries(connection),
        }
    )


def _entries(connection: Connection) -> list[Any]:
    """Return the newest row of the registry that is no report, and how many drafts of units there are."""
    # Frozen units rest on drafts, which can be thrown away.
    row = connection.execute(
        "SELECT count(*) FROM result.run WHERE stage IN (%s, %s)", [DELINEATE, DRAFT]
    ).fetchone()
    return [newest_decision(connection), 0 if row is None else row[0]]


def _untouched(filed: Filed) -> bool:
    """Tell whether every file is as it was filed, by its content."""
    package, picture = Path(filed.package), Path(filed.picture)
    try:
        return (
            _sha256(picture) == filed.picture_sha256
            and _sha256(_sealed(package)) == filed.manifest_sha256
            and not check(package)
        )
    except (OSError, LowlandError):
        return False


def keep_filed(project: Project, filed: Filed) -> None:
    """Note what was filed; where that cannot be written, the next run files anew."""
    try:
        write_text(
            project.settings.folder / RECORD, json.dumps(asdict(filed), ensure_ascii=False, indent=1) + "\n"
        )
    except (OSError, LowlandError):
        return


def as_filed(
    basis: str, package: Path, n_files: int, picture: Path, warnings: tuple[str, ...], stale: str | None
) -> Filed:
    """Return the record of a package and a map that have just been written."""
    return Filed(
        basis,
        str(package),
        n_files,
        _sha256(_sealed(package)),
        str(picture),
        _sha256(picture),
        warnings,
        stale,
    )


def _recorded(project: Project) -> Filed | None:
    try:
        return _ADAPTER.validate_json((project.settings.folder / RECORD).read_bytes())
    except (OSError, ValidationError):
        return None


def _sealed(package: Path) -> Path:
    """Return the file whose digest stands for a package: its manifest, or the zip itself."""
    return package / MANIFEST if package.is_dir() else package


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
