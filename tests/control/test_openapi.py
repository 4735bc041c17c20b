"""The OpenAPI document says what the daemon does."""

import json
import re
from collections.abc import Iterator
from typing import Any

from starlette.routing import Route

from faceswapd.control.application import application
from faceswapd.control.openapi import document
from faceswapd.control.routes.table import DOCUMENT_FILE, OPERATIONS
from faceswapd.control.wire import messages
from tests.control.serving import Control


def test_the_document_is_the_one_of_these_routes() -> None:
    written = DOCUMENT_FILE.read_text(encoding="utf-8")
    assert written == document(OPERATIONS), "write it anew: python -m faceswapd.control.openapi"


async def test_it_names_each_route_and_no_other(control: Control) -> None:
    told = {(path, method.upper()) for path, methods in served()["paths"].items() for method in methods}
    routes = {
        (route.path, method)
        for route in application(control.house).routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    assert told | {(path, "HEAD") for path, method in told if method == "GET"} == routes
    assert (await control.ask("/api/openapi.json")) == (200, served())


def test_what_stands_in_a_path_is_explained() -> None:
    for path, methods in served()["paths"].items():
        for method, told in methods.items():
            named = {one["name"] for one in told["parameters"] if one["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path)), (method, path)
            assert all(one["description"] for one in told["parameters"])
    names = [told["operationId"] for methods in served()["paths"].values() for told in methods.values()]
    assert len(names) == len(set(names))


def test_each_reference_leads_somewhere() -> None:
    whole = served()
    found = list(references(whole))
    assert len(found) > 100
    for reference in found:
        place: Any = whole
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]
        assert place


def test_schemas_are_called_by_the_message_alone() -> None:
    schemas = served()["components"]["schemas"]
    assert {"JobProgress", "Progress"} <= set(schemas)
    assert [name for name in schemas if not name.isalnum()] == [], "two messages have one name"


def test_fields_are_there_with_what_they_mean() -> None:
    schemas = served()["components"]["schemas"]
    for name in ("Job", "Jobs", "Status", "Inbox"):
        kind = getattr(messages, name)
        assert list(kind._fields) == list(schemas[name]["properties"])
    assert schemas["Job"]["properties"]["phase"]["description"] == "of a running job"


def served() -> dict[str, Any]:
    whole = json.loads(DOCUMENT_FILE.read_bytes())
    assert isinstance(whole, dict)
    return whole


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if "$ref" in value:
            yield value["$ref"]
        for one in value.values():
            yield from references(one)
    elif isinstance(value, list):
        for one in value:
            yield from references(one)
