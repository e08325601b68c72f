"""Parameters and parcels whose potential is computed by hand."""

from lowland_gis.analysis.potential.gain import Land, Plot
from lowland_gis.analysis.potential.parameters import ADAPTER, Parameters

DOCUMENT = {"document": "测试", "example": True}


def parameters(*more: dict) -> Parameters:
    """Return parameters with few numbers: industry 1.0 to 2.0, nothing of shops, roads without floors."""
    rows = [
        {"name": "far", "use": "10", "low": 1.0, "high": 2.0, "unit": "ratio"},
        {"name": "far", "use": "12", "value": 0.0, "unit": "ratio"},
        {"name": "density", "use": "10", "low": 40, "high": 50, "unit": "%"},
        {"name": "redeveloped", "low": 0.5, "high": 1.0, "unit": "share"},
        {"name": "redeveloped", "kind": "village", "value": 0.25, "unit": "share"},
        {"name": "idle_from", "value": 12, "unit": "month"},
        {"name": "public_share", "value": 0.4, "unit": "share"},
        {"name": "acquisition", "kind": "industrial", "low": 30, "high": 60, "unit": "万元/亩"},
        {"name": "sale_price", "use": "10", "value": 90, "unit": "万元/亩"},
        {"name": "top_up", "use": "10", "low": 100, "high": 300, "unit": "元/m²"},
        {"name": "public_cost", "value": 15, "unit": "万元/亩"},
        {"name": "weight_plan", "value": 0.5, "unit": "share"},
        {"name": "weight_kind", "value": 0.3, "unit": "share"},
        {"name": "weight_zone", "value": 0.1, "unit": "share"},
        {"name": "weight_public", "value": 0.1, "unit": "share"},
        *more,
    ]
    way = {"title": "方案", "step": ["一"], **DOCUMENT}
    phase = {"title": "期", "what": "什么"}
    return ADAPTER.validate_python(
        {
            "parameter": [{**DOCUMENT, **row} for row in rows],
            "use": {
                "industry": {
                    "title": "工业",
                    "codes": ["10"],
                    "kinds": ["industrial"],
                    "zones": ["510"],
                    **DOCUMENT,
                },
                "open": {
                    "title": "绿地",
                    "codes": ["12", "14"],
                    "kinds": ["village"],
                    "public": True,
                    **DOCUMENT,
                },
            },
            "way": {"reserve": way, "owner": way},
            "phase": {"ready": phase, "papers": phase, "open": phase, **DOCUMENT},
        }
    )


# 6,000 m² of which 5,000 are planned for industry at 1.5 and 1,000 for a road; 3,000 m² of floors on a fifth of it, a third empty, idle for 2 years.
FACTORY = Land(
    "F", 6000.0, "industrial", "510",
    (Plot("1001", 5000.0, 1.5, 0.5), Plot("1207", 1000.0, 0.0, 0.0, public=True)),
    floor_m2=3000.0, density=0.2, vacant_share=1 / 3, idle_years=2.0, public_m2=1000.0,
)  # fmt: skip
# 2,000 m² without a FAR in the plan, and with it the parameter of industry.
BAND = Land(
    "B",
    2000.0,
    "industrial",
    "510",
    (Plot("1001", 2000.0),),
    floor_m2=1000.0,
    density=0.5,
    vacant_share=0.0,
    idle_years=0.0,
    public_m2=0.0,
)
# Shops, of which no parameter says a FAR or a price.
SHOPS = Land("S", 1000.0, "industrial", None, (Plot("0901", 1000.0),), public_m2=0.0)
HOUSE = Land(
    "H", 1000.0, None, "510", (Plot("0701", 1000.0, 2.0, 0.3),), floor_m2=0.0, density=0.0, public_m2=0.0
)
