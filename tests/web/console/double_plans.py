"""What the service's double knows of floor plans: images, the floors of a unit, and the plan of an alert."""

import hashlib
from typing import Any

from aiohttp import web
from double_facts import Facts, Json, at

from firetower.devices.plan_images import read_image

NOTHING: Json = {
    "floor": None, "plan": None, "at": None, "why": "no_zone", "others": [], "more": 0, "fires_elsewhere": [],
    "devices": [],
}  # fmt: skip


class Plans(Facts):
    """Plans by alert id and floors by unit. ``put``: (path, type, bytes) of what was sent; ``placed``: positions."""

    def __init__(self) -> None:
        super().__init__()
        self.plans: dict[str, Json] = {}
        self.storeys: dict[str, list[Json]] = {}
        self.images: dict[str, bytes] = {}
        self.image_away = False
        self.put: list[tuple[str, str, bytes]] = []
        self.placed: list[Json] = []

    def spot(self, x: float, y: float, *, doubtful: bool = False) -> Json:
        """A place on a plan."""
        return {"x": x, "y": y, "doubtful": doubtful, "placed_at": at(60), "placed_by": "ada"}

    def drawing(self, image: bytes, unit: str = "mall-01", floor: str = "3") -> Json:
        """Keep an image and return it as the plan of a floor."""
        digest, size = hashlib.sha256(image).hexdigest(), read_image(image)
        self.images[digest] = image
        return {
            "url": f"/api/v1/units/{unit}/plans/A/{floor}?v={digest}", "sha256": digest, "media": size.media,
            "width": size.width, "height": size.height, "size": len(image), "put_at": at(600), "put_by": "ada",
        }  # fmt: skip

    def storey(self, floor: str = "3", **more: Any) -> Json:
        """A floor."""
        names = {"building": "A", "building_name": "A座", "floor": floor, "floor_name": f"{floor}层"}
        return names | {"level": int(floor)} | more

    def standing(self, device: str, component: str = "", spot: Json | None = None, **more: Any) -> Json:
        """A device or a point on a floor."""
        known = {"kind": "panel" if component else "smoke", "status": "online", "place": "走廊", "zone": "A/3/e"}
        return {"device": device, "component": component, "at": spot} | known | more

    def plan_of(self, alert: Json, image: bytes, spot: Json | None, **more: Any) -> Json:
        """Say what is shown of an alert's floor."""
        why = None if spot else "no_position"
        found = {"floor": self.storey(), "plan": self.drawing(image), "at": spot, "why": why}
        self.plans[alert["id"]] = NOTHING | found | more
        return self.plans[alert["id"]]

    # routes -------------------------------------------------------------------------------------

    def add_plans(self, app: web.Application) -> None:
        """Serve it."""
        app.router.add_get("/api/v1/alerts/{id}/plan", self._plan)
        app.router.add_get("/api/v1/units/{unit}/plans", self._floors)
        app.router.add_put("/api/v1/units/{unit}/plans/positions", self._positions)
        app.router.add_get("/api/v1/units/{unit}/plans/{building}/{floor}", self._image)
        app.router.add_put("/api/v1/units/{unit}/plans/{building}/{floor}", self._put)

    async def _plan(self, request: web.Request) -> web.Response:
        return web.json_response(self.plans.get(request.match_info["id"], NOTHING))

    async def _floors(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.storeys.get(request.match_info["unit"], [])})

    async def _image(self, request: web.Request) -> web.Response:
        if self.image_away:
            return web.Response(status=503)
        return web.Response(body=self.images[request.query["v"]], content_type="image/png")

    async def _put(self, request: web.Request) -> web.Response:
        image = await request.read()
        self.put.append((request.path, request.content_type, image))
        floor = request.match_info["floor"]
        plan = self.drawing(image, request.match_info["unit"], floor)
        for each in self.storeys[request.match_info["unit"]]:
            if each["floor"] == floor:
                each["plan"] = plan
        return web.json_response({"became": "created", "plan": plan})

    async def _positions(self, request: web.Request) -> web.Response:
        """Take all but points that end in 9."""
        given, errors = (await request.json())["positions"], []
        self.placed += given
        for n, each in enumerate(given):
            if each["component"].endswith("9"):
                what = {"where": f"/positions/{n}", "item": each["component"], "message": "fire alert 7 is open"}
                errors.append(what)
                continue
            for floor in self.storeys[request.match_info["unit"]]:
                for point in floor["points"]:
                    if (point["device"], point["component"]) == (each["device"], each["component"]):
                        point["at"] = None if each["x"] is None else self.spot(each["x"], each["y"])
        return web.json_response({"placed": len(given) - len(errors), "errors": errors})
