"""The interface for programs as OpenAPI describes it, made from the table of questions alone."""

from __future__ import annotations

from typing import Any

import msgspec

from smart_meter_reader import __version__
from smart_meter_reader.sinks.web.questions.table import DOWNLOAD, QUESTIONS, Parameter

_REFERENCE = "#/components/schemas/{name}"
_ERROR = {"type": "object", "properties": {"error": {"type": "string"}}, "required": ["error"]}
_REFUSALS = {
    "400": "The question cannot be answered as it was put; the sentence says what to put otherwise",
    "404": "Nothing is stored yet",
    "413": "The answer takes too long or is too large: ask for a shorter time",
    "503": "The history cannot be read now, or too many ask at once",
}


def document() -> dict[str, Any]:
    """The document, OpenAPI 3.1.0. Addresses are relative to where it was got."""
    shapes = [kind.shape for kind in QUESTIONS.values()]
    references, schemas = msgspec.json.schema_components(shapes, ref_template=_REFERENCE)
    schemas["Error"] = _ERROR
    paths = {
        f"/{name}": _path(name, kind.summary, kind.parameters, {"application/json": {"schema": reference}})
        for (name, kind), reference in zip(QUESTIONS.items(), references, strict=True)
    }
    file = {"schema": {"type": "string", "contentEncoding": "binary"}}
    paths["/download"] = _path(
        "download", DOWNLOAD.summary, DOWNLOAD.parameters, dict.fromkeys(DOWNLOAD.content_types, file)
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "smart_meter_reader",
            "version": __version__,
            "description": "Read only. Numbers have the digits of the meter, so read them as decimals; "
            "times have the offset of the house. Where there is a password, programs send "
            "`Authorization: Bearer TOKEN`.",
        },
        "servers": [{"url": "."}],
        "paths": paths,
        "components": {"schemas": _told(schemas)},
    }


def _path(
    name: str, summary: str, parameters: tuple[Parameter, ...], content: dict[str, Any]
) -> dict[str, Any]:
    refusals = {
        status: {
            "description": sentence,
            "content": {"application/json": {"schema": {"$ref": _REFERENCE.format(name="Error")}}},
        }
        for status, sentence in _REFUSALS.items()
    }
    return {
        "get": {
            "operationId": name,
            "summary": summary,
            "parameters": list(map(_parameter, parameters)),
            "responses": {"200": {"description": summary, "content": content}, **refusals},
        }
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "integer" if parameter.format == "integer" else "string"}
    if parameter.choices:
        schema["enum"] = [str(choice) for choice in parameter.choices]
    elif parameter.format.startswith("date"):
        schema["format"] = parameter.format
    return {"name": parameter.name, "in": "query", "description": parameter.help, "schema": schema}


def _told(schema: Any) -> Any:
    """The schemas of msgspec, with a decimal as the number as which it is told here."""
    if isinstance(schema, dict):
        if schema == {"type": "string", "format": "decimal"}:
            return {"type": "number"}
        return {key: _told(inner) for key, inner in schema.items()}
    return [_told(inner) for inner in schema] if isinstance(schema, list) else schema
