"""The ground plan as GeoJSON, so that a console has a map without a tile server.

Each feature's ``properties`` hold ``kind`` (``district``, ``grid`` or ``street``), ``name`` and, by kind,
``code`` (district, grid) or ``class`` (``arterial`` or
``street``). Districts and grids are polygons, streets are lines; WGS-84.
"""

import json
from typing import Any

from firetower.devices.readings import Floats
from firetower.simulator.plan import Area, Plan, lonlat


def streets_geojson(plan: Plan) -> str:
    """Return a FeatureCollection as text, one feature a line."""
    features = [_area(plan, "district", area) for area in plan.districts]
    features += [_area(plan, "grid", area) for area in plan.grids]
    for street in plan.streets:
        properties = {
            "kind": "street",
            "name": plan.lines[street.line],
            "class": "arterial" if street.arterial else "street",
        }
        features.append(_feature(properties, "LineString", _points(street.nodes)))
    rows = ",\n".join(json.dumps(feature, ensure_ascii=False, separators=(",", ":")) for feature in features)
    return f'{{"type":"FeatureCollection","features":[\n{rows}\n]}}\n'


def _area(plan: Plan, kind: str, area: Area) -> dict[str, Any]:
    properties = {"kind": kind, "name": area.name, "code": area.code}
    return _feature(properties, "Polygon", [_points(plan.outline(area))])


def _feature(properties: dict[str, str], shape: str, coordinates: list[Any]) -> dict[str, Any]:
    return {
        "type": "Feature",
        "properties": properties,
        "geometry": {"type": shape, "coordinates": coordinates},
    }


def _points(nodes: Floats) -> list[list[float]]:
    points: list[list[float]] = lonlat(nodes).tolist()
    return points
