"""The published schema: what Litestar finds out of the handlers, and how every operation may fail."""

from __future__ import annotations

from typing import Any, Final

from litestar import Request
from litestar.openapi.plugins import JsonRenderPlugin

from dcaweb.api.problems import MEDIA_TYPE

_FAILURES: Final = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 503)
_NAME: Final = "Problem"
_TEXT: Final = {"type": "string"}
_PROBLEM: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Why a request was not carried out, as RFC 9457 has it.",
    "properties": {
        "type": _TEXT,
        "title": _TEXT,
        "status": {"type": "integer"},
        "detail": _TEXT,
        "code": {
            "type": "string",
            "description": "The kind in one word: invalid_parameter, not_confirmed, plan_limit_reached; else empty.",
        },
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"field": _TEXT, "detail": _TEXT},
                "required": ["field", "detail"],
            },
        },
    },
    "required": ["type", "title", "status", "detail", "code", "errors"],
}


class Published(JsonRenderPlugin):
    """The schema as JSON."""

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        """Return the schema, with what each operation answers when it refuses or fails."""
        components = openapi_schema.setdefault("components", {})
        components.setdefault("schemas", {})[_NAME] = _PROBLEM
        components.setdefault("responses", {})[_NAME] = {
            "description": "It was not carried out",
            "content": {MEDIA_TYPE: {"schema": {"$ref": f"#/components/schemas/{_NAME}"}}},
        }
        for path in openapi_schema["paths"].values():
            for operation in path.values():
                for status in _FAILURES:
                    operation["responses"][str(status)] = {"$ref": f"#/components/responses/{_NAME}"}
        return super().render(request, openapi_schema)
