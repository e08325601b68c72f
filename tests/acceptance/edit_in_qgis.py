"""Edit a GeoPackage with real QGIS, as a planner does: run by the Python that QGIS is built for, not by the tests' own.

Arguments: FILE attribute PARCEL UNIT (give a parcel another unit_id; empty: none) – or FILE outline UNIT PARCEL (add the shape of
a parcel to the outline of a unit).
"""

import sys

from qgis.core import QgsApplication, QgsVectorLayer


def layer(file, name):
    found = QgsVectorLayer(f"{file}|layername={name}", name, "ogr")
    assert found.isValid(), f"QGIS cannot open the layer {name}"
    return found


def feature(of, field, value):
    return next(item for item in of.getFeatures() if item[field] == value)


def change_attribute(file, parcel, unit):
    members = layer(file, "members")
    chosen = feature(members, "parcel_id", parcel)
    members.startEditing()
    members.changeAttributeValue(chosen.id(), members.fields().indexOf("unit_id"), unit or None)
    assert members.commitChanges(), members.commitErrors()


def change_outline(file, unit, parcel):
    units, members = layer(file, "units"), layer(file, "members")
    chosen, piece = feature(units, "unit_id", unit), feature(members, "parcel_id", parcel)
    units.startEditing()
    units.changeGeometry(chosen.id(), chosen.geometry().combine(piece.geometry().buffer(0.01, 4)))
    assert units.commitChanges(), units.commitErrors()


if __name__ == "__main__":
    application = QgsApplication([], False)  # noqa: FBT003 - the signature is QGIS's
    application.initQgis()
    target, what, *names = sys.argv[1:]
    {"attribute": change_attribute, "outline": change_outline}[what](target, *names)
    application.exitQgis()
