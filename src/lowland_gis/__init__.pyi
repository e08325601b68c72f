from lowland_gis.api.areas import area as area
from lowland_gis.api.deliveries import Delivery as Delivery
from lowland_gis.api.deliveries import check as check
from lowland_gis.api.deliveries import read_delivery as read_delivery
from lowland_gis.api.gains import key_areas as key_areas
from lowland_gis.api.gains import unit_potential as unit_potential
from lowland_gis.api.overlaps import Tabulated as Tabulated
from lowland_gis.api.overlaps import tabulate as tabulate
from lowland_gis.api.project import Project as Project
from lowland_gis.api.project import open_project as open_project
from lowland_gis.api.unit_editing import UnitEditing as UnitEditing
from lowland_gis.api.units import draft_units as draft_units
from lowland_gis.api.units import edit_units as edit_units
from lowland_gis.api.units import facing_neighbours as facing_neighbours
from lowland_gis.api.verdicts import classify as classify
from lowland_gis.errors import DatabaseError as DatabaseError
from lowland_gis.errors import DefinitionError as DefinitionError
from lowland_gis.errors import InputRefusedError as InputRefusedError
from lowland_gis.errors import LowlandError as LowlandError
from lowland_gis.errors import LowlandWarning as LowlandWarning
from lowland_gis.errors import StaleError as StaleError
from lowland_gis.errors import UsageError as UsageError

__version__: str
