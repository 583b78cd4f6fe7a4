"""The API's own description, arranged for a page. Made from the schema, so that it cannot say anything else."""

from __future__ import annotations

import dataclasses
import functools
import json
from typing import Any

from django.conf import settings
from django.utils.translation import override
from drf_spectacular.generators import SchemaGenerator

METHODS = ("get", "post", "put", "patch", "delete")
TITLES = {
    "patients": "Patients",
    "results": "Laboratory results",
    "assessments": "Assessments",
    "courses": "Courses of drugs",
    "alerts": "Alerts",
    "rules": "Clinical rules",
    "research": "Research releases",
}


@dataclasses.dataclass(frozen=True)
class Field:
    name: str
    kind: str
    required: bool
    text: str
    words: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Body:
    """What is sent or answered: the shape's name and its fields, one level deep; shapes inside have their own entry."""

    title: str
    text: str
    fields: tuple[Field, ...]


@dataclasses.dataclass(frozen=True)
class Operation:
    id: str
    method: str
    path: str
    summary: str
    text: str
    parameters: tuple[Field, ...]
    request: tuple[str, ...]
    answers: tuple[tuple[str, str, tuple[str, ...]], ...]  # status, in words, shapes


@dataclasses.dataclass(frozen=True)
class Section:
    id: str
    title: str
    operations: tuple[Operation, ...]


@dataclasses.dataclass(frozen=True)
class Docs:
    sections: tuple[Section, ...]
    shapes: tuple[Body, ...]


@functools.cache
def api_docs() -> Docs:
    """Once per process: it depends on the code alone, and not on the language of who reads it first."""
    with override(settings.LANGUAGE_CODE):
        schema = SchemaGenerator(api_version="1").get_schema(request=None, public=True)
    sections: dict[str, list[Operation]] = {}
    for path, item in schema["paths"].items():
        area = path.removeprefix("/api/v1/").split("/")[0]
        if area not in TITLES:
            continue
        for method in METHODS:
            if method in item:
                sections.setdefault(area, []).append(_operation(path, method, item[method]))
    shapes = tuple(
        _body(name, shape) for name, shape in sorted(schema["components"]["schemas"].items()) if shape.get("properties")
    )
    return Docs(
        tuple(Section(area, TITLES[area], tuple(sections[area])) for area in TITLES if area in sections), shapes
    )


def _operation(path: str, method: str, item: dict[str, Any]) -> Operation:
    request = item.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    answers = []
    for status, answer in item["responses"].items():
        content = answer.get("content", {})
        shapes = tuple(n for media in content.values() for n in _names(media.get("schema", {})))
        answers.append((status, answer.get("description") or ", ".join(content), shapes))
    return Operation(
        id=item["operationId"],
        method=method.upper(),
        path=path,
        summary=item.get("summary", ""),
        text=item.get("description", ""),
        parameters=tuple(
            _field(p["name"], p.get("schema", {}), p.get("required", False), p.get("description", ""))
            for p in item.get("parameters", [])
        ),
        request=tuple(dict.fromkeys(_names(request))),
        answers=tuple(answers),
    )


def _names(schema: dict[str, Any]) -> list[str]:
    """The shapes a schema refers to, by name."""
    found = []
    if "$ref" in schema:
        found.append(schema["$ref"].rsplit("/", 1)[-1])
    for key in ("oneOf", "anyOf", "allOf"):
        for inner in schema.get(key, []):
            found.extend(_names(inner))
    if "items" in schema:
        found.extend(_names(schema["items"]))
    return found


def _body(name: str, shape: dict[str, Any]) -> Body:
    required = set(shape.get("required", []))
    fields = tuple(
        _field(field, inner, field in required, inner.get("description", ""))
        for field, inner in shape["properties"].items()
    )
    return Body(name, shape.get("description", ""), fields)


def _field(name: str, schema: dict[str, Any], required: bool, text: str) -> Field:
    words = tuple(str(word) for word in (schema.get("enum") or schema.get("items", {}).get("enum") or ()))
    # drf-spectacular repeats the words of a choice in its description, as a list.
    text = text.split("\n\n* `", maxsplit=1)[0] if words or "* `" in text else text
    return Field(name, _kind(schema), required, text if not text.startswith("* `") else "", words[:40])


def _kind(schema: dict[str, Any]) -> str:
    names = _names({k: v for k, v in schema.items() if k != "items"})
    if names:
        kind = " or ".join(dict.fromkeys(names))
    elif schema.get("type") == "array":
        kind = f"list of {_kind(schema['items'])}"
    else:
        kind = str(schema.get("format") or schema.get("type") or "anything")
        if kind == "decimal":
            kind = "decimal, as text"
    limits = {k: schema[k] for k in ("maxLength", "minimum", "maximum") if k in schema}
    # What the database can hold is no limit anybody meant.
    limits = {k: v for k, v in limits.items() if not isinstance(v, int) or abs(v) < 2**31 - 1}
    if limits:
        kind += " (" + ", ".join(f"{k} {json.dumps(v)}" for k, v in limits.items()) + ")"
    return kind + (" or null" if schema.get("nullable") else "")
