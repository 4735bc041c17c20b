"""The OpenAPI 3.1 document, made from the table of routes and the messages themselves.

`python -m faceswapd.control.openapi` writes openapi.json, which the daemon serves; a test holds it equal to the routes.
Its schemas are JSON Schema (2020-12). What a field means is taken from the comment behind it, so that it is written
once, where the field is.
"""

import ast
import inspect
import io
import json
import re
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import MISSING, field, make_dataclass
from functools import cache, reduce
from operator import or_
from types import UnionType
from typing import Any, Final, get_args, get_origin

from pydantic import TypeAdapter
from pydantic.json_schema import GenerateJsonSchema

import faceswapd
from faceswapd.control.doors.guard import COOKIE
from faceswapd.control.operation import Hears, Operation, Parameter
from faceswapd.control.wire import messages

_ALL_SAY: Final = (401, 403, 421, 429, 500, 503)  # whatever is asked
_MEANINGS: Final = {
    400: "The request is not as it should be.",
    401: "A key is wanted, or is not right.",
    403: "The one who asks may not.",
    404: "There is no such thing.",
    408: "It took too long to come.",
    409: "It cannot be done as things are.",
    410: "It is gone.",
    412: "The client speaks another version of the protocol.",
    413: "It is too long.",
    415: "It is nothing that can be taken.",
    416: "The file has no such range.",
    421: "The daemon has another name.",
    422: "It cannot be worked with.",
    423: "Somebody else is at it.",
    429: "Too many wrong keys.",
    500: "An error of faceswapd itself.",
    503: "Not now: the ledger's disk is full, or too many ask.",
    507: "The disk has no room.",
}
_INTRODUCTION: Final = """\
On the daemon's Unix socket the user who runs it needs no key. On the TCP port (`[http]` in the configuration) each
request carries `Authorization: Bearer TOKEN` with the token of the file `token` in the state folder.

Times are seconds since 1970 (UTC), durations seconds, sizes bytes, progress 0.0 to 1.0. Answers may gain fields:
leave out what you do not know. A file name that is not UTF-8 keeps its bytes as lone surrogates.
"""


def document(operations: Iterable[Operation]) -> str:
    """The document, as JSON."""
    operations = tuple(operations)
    kinds = dict.fromkeys((*_kinds(operations), messages.Error))
    wanted: list[tuple[type, Any, TypeAdapter[Any]]] = [
        (kind, "validation", TypeAdapter(_as_object(kind))) for kind in kinds
    ]
    references, schemas = TypeAdapter.json_schemas(
        wanted, ref_template="#/components/schemas/{model}", schema_generator=_Schemas
    )
    known = {kind: dict(references[kind, "validation"]) for kind in kinds}
    components = schemas["$defs"]
    for kind in _with_parts(kinds):
        if kind.__name__ in components:
            _describe(kind, components[kind.__name__])
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation, known)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "faceswapd", "version": faceswapd.__version__, "description": _INTRODUCTION},
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": {str(status): _response(_MEANINGS[status], known[messages.Error]) for status in _MEANINGS},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
            },
        },
    }
    return json.dumps(whole, indent=1, ensure_ascii=False) + "\n"


class _Schemas(GenerateJsonSchema):
    """Without a title at each field, which would only say its name again."""

    def field_title_should_be_set(self, schema: object) -> bool:
        del schema
        return False


@cache
def _as_object(kind: Any) -> type:
    """A message as a data class: pydantic would describe a named tuple as a list, and it is an object on the wire."""
    parts = [
        (name, _of_objects(hint), field(default=kind._field_defaults.get(name, MISSING)))
        for name, hint in kind.__annotations__.items()
    ]
    return make_dataclass(kind.__name__, parts, namespace={"__doc__": kind.__doc__, "__module__": kind.__module__})


def _of_objects(hint: Any) -> Any:
    if messages.is_message(hint):
        return _as_object(hint)
    parts = [_of_objects(part) for part in get_args(hint)]
    if isinstance(hint, UnionType):
        return reduce(or_, parts)
    return get_origin(hint)[*parts] if parts else hint


def _kinds(operations: Iterable[Operation]) -> Iterator[type]:
    """The messages that are heard and said."""
    for one in operations:
        yield from (kind for kind in (one.hears, one.says) if isinstance(kind, type))
        yield from (kind for _, kind in one.also)
        yield from one.parts


def _operation(one: Operation, known: dict[type, dict[str, Any]]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "operationId": _name(one),
        "tags": [one.path.strip("/").removeprefix("api/").partition("/")[0].partition(".")[0] or "page"],
        "summary": one.summary,
        "parameters": [_parameter(parameter) for parameter in one.parameters],
        "responses": {str(one.status): _said(one, known)},
    }
    if one.local:
        told["description"] = "On the Unix socket alone."
    if one.open:
        told["security"] = []
    if isinstance(one.hears, Hears):
        told["requestBody"] = {"content": {one.hears.media_type: {"schema": dict(one.hears.schema)}}, "required": True}
    elif one.hears is not None:
        told["requestBody"] = {"content": {"application/json": {"schema": known[one.hears]}}}
    for status, kind in one.also:
        told["responses"][str(status)] = _response(one.summary, known[kind])
    asks = (400,) if one.parameters or one.hears else ()
    for status in (*asks, *((413,) if one.hears else ()), *one.refusals, *_ALL_SAY):
        told["responses"].setdefault(str(status), {"$ref": f"#/components/responses/{status}"})
    return told


def _name(one: Operation) -> str:
    words = re.findall(r"[A-Za-z]+", one.path.removeprefix("/api"))
    return one.method.lower() + "".join(word.capitalize() for word in words)


def _parameter(parameter: Parameter) -> dict[str, Any]:
    return {
        "name": parameter.name,
        "in": parameter.where,
        "description": parameter.meaning,
        "required": parameter.required,
        "schema": dict(parameter.schema),
    }


def _said(one: Operation, known: dict[type, dict[str, Any]]) -> dict[str, Any]:
    if isinstance(one.says, type):
        return _response(one.summary, known[one.says])
    if not one.says:
        return {"description": one.summary}
    return {"description": one.summary, "content": {one.says: {"schema": {"type": "string"}}}}


def _response(meaning: str, schema: dict[str, Any]) -> dict[str, Any]:
    return {"description": meaning, "content": {"application/json": {"schema": schema}}}


def _with_parts(kinds: Iterable[type]) -> Iterator[type]:
    """Messages, and the messages in them: all that their modules define."""
    for module in dict.fromkeys(inspect.getmodule(kind) for kind in kinds):
        yield from (kind for _, kind in inspect.getmembers(module, inspect.isclass))


def _describe(kind: type, schema: dict[str, Any]) -> None:
    """What a message and its fields mean, as it stands in the source."""
    for name, meaning in _comments(kind):
        if name in schema.get("properties", {}):
            schema["properties"][name]["description"] = meaning


def _comments(kind: type) -> Iterator[tuple[str, str]]:
    """Each field of a class that has a comment behind it."""
    source = inspect.getsource(kind)
    behind = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    (defined,) = ast.parse(source).body
    assert isinstance(defined, ast.ClassDef)
    for statement in defined.body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            meaning = behind.get(statement.end_lineno or 0)
            if meaning is not None:
                yield statement.target.id, meaning


if __name__ == "__main__":
    from faceswapd.control.routes.table import DOCUMENT_FILE, OPERATIONS

    DOCUMENT_FILE.write_text(document(OPERATIONS), encoding="utf-8")
