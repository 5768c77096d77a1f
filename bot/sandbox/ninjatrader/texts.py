"""Texts of CrossTrade about its API for programs and models: the OpenAPI document and the texts, drawn from the catalogue.

The real ones say far more; what could be read of them is their beginning. They need no token (inferred: they are public).
"""

import json
import re
from collections.abc import Callable
from typing import Any

from aiohttp import web

from .calls import Call
from .catalogue import CALLS

TITLE = "CrossTrade API (simulated)"


def add_routes(app: web.Application, prefix: str) -> None:
    """Put the texts on their paths."""
    texts: dict[str, tuple[Callable[[str], str], str]] = {
        "openapi.json": (_openapi, "application/json"),
        # What is JSON is YAML too.
        "openapi.yaml": (_openapi, "application/yaml"),
        "llms.txt": (_words, "text/plain"),
        "llms-full.txt": (_words, "text/plain"),
    }
    for name, (text, kind) in texts.items():

        async def handle(_request: web.Request, text: Callable[[str], str] = text, kind: str = kind) -> web.Response:
            return web.Response(text=text(prefix), content_type=kind)

        app.router.add_get(f"{prefix}/{name}", handle)


def _openapi(prefix: str) -> str:
    paths: dict[str, dict[str, Any]] = {}
    for call in CALLS:
        for path in filter(None, (call.path, call.other_path)):
            paths.setdefault(f"{prefix}/{path}", {})[call.method.lower()] = _operation(call, path)
    return json.dumps({"openapi": "3.1.0", "info": {"title": TITLE, "version": "1"}, "paths": paths}, indent=1)


def _operation(call: Call, path: str) -> dict[str, Any]:
    names = re.findall(r"{(\w+)}", path)
    parameters = [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]
    return {"operationId": call.name, "parameters": parameters, "responses": {"200": {"description": "success"}}}


def _words(prefix: str) -> str:
    lines = [f"- {call.name}: {call.method} {prefix}/{call.path}" for call in CALLS]
    return "\n".join([f"# {TITLE}", "", *lines, ""])
