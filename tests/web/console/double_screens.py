"""What the double answers for screens that are read and edited at leisure: whatever a test has put at a path."""

from typing import Any
from urllib.parse import unquote

from aiohttp import web
from double_facts import Facts, Json

from firetower.rules.book import rulebook
from firetower.web.rule_routes import RaisedOut, RuleFileOut, RuleList, _rule_out

PREFIX = "/api/v1"


class Screens(Facts):
    """``files``: a body by method and path (``GET /rules``), or a list of (status, body), of which each answers once,
    the last for good. ``reached``: (method, path with query, body) of all that was answered here.
    """

    def __init__(self) -> None:
        super().__init__()
        self.files: dict[str, Any] = {}
        self.reached: list[tuple[str, str, Json]] = []

    def has_rules(self) -> None:
        """Put the shipped rulebook there, in the shapes of the service."""
        book = rulebook.shipped()
        outs = [_rule_out(book, rule) for rule in book.rules]
        self.files["GET /rules"] = RuleList(items=outs).model_dump(mode="json", by_alias=True)
        raised = RaisedOut(open=1, last_24_h=2, last_7_d=5, false_7_d=3, by_day=[0, 1, 0, 2, 0, 0, 2])
        for out in outs:
            written = book.written[out.id]
            fields = {name: getattr(out, name) for name in type(out).model_fields}
            file = RuleFileOut(**fields, written=written, text=f"rules:\n- id: {out.id}\n", raised=raised)
            self.files[f"GET /rules/{out.id}"] = file.model_dump(mode="json", by_alias=True)

    def has_file(self, request: web.Request) -> bool:
        """Whether a test has put something at the path that is asked for."""
        return f"{request.method} {unquote(request.path.removeprefix(PREFIX))}" in self.files

    async def _file(self, request: web.Request) -> web.Response:
        path = unquote(request.path.removeprefix(PREFIX))
        body = await request.json() if request.body_exists and request.can_read_body else {}
        query = f"?{request.query_string}" if request.query_string else ""
        self.reached.append((request.method, f"{path}{query}", body))
        found = self.files.get(f"{request.method} {path}")
        if found is None:
            return web.json_response({"error": {"code": "not_found", "message": f"nothing at {path}"}}, status=404)
        if not isinstance(found, list):
            return web.json_response(found)
        status, said = found.pop(0) if len(found) > 1 else found[0]
        return web.Response(status=204) if status == 204 else web.json_response(said, status=status)

    def add_screens_to(self, app: web.Application) -> None:
        app.router.add_route("*", f"{PREFIX}/{{tail:.*}}", self._file)
