"""The description of the HTTP interface, as OpenAPI 3.1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from voltstream.core.limits import (
    HTTP_ROWS_DEFAULT,
    HTTP_ROWS_MAX,
    HTTP_STATEMENT_S_DEFAULT,
    HTTP_STATEMENT_S_MAX,
)
from voltstream.web.results import ARROW

_Part = Mapping[str, Any]
_ERROR = {"$ref": "#/components/schemas/Error"}
_STATUSES = {
    "400": "The request, or the statement, is wrong.",
    "401": "Log in: a bearer token, or a password.",
    "403": "The role may not do this.",
    "404": "There is no such relation or database.",
    "413": "A limit was passed.",
    "429": "Too many requests from this address; Retry-After says when to ask again.",
    "500": "A defect.",
    "503": "Too busy, or shutting down.",
}
_DATABASE = {
    "name": "database", "in": "query", "required": False, "schema": {"type": "string"},
    "description": "The database; the first one when left out.",
}  # fmt: skip
_TRUE_OR_FALSE = {"type": "string", "enum": ["true", "false"]}
_LIMIT = {"type": "integer", "minimum": 0, "maximum": HTTP_ROWS_DEFAULT}
_FORMAT = {"type": "string", "enum": ["json", "csv", "arrow"]}
_ROWS_ASKED = {
    "type": "integer", "minimum": 1, "maximum": HTTP_ROWS_MAX, "default": HTTP_ROWS_DEFAULT,
}  # fmt: skip
_SECONDS = {
    "type": "number", "exclusiveMinimum": 0, "maximum": HTTP_STATEMENT_S_MAX,
    "default": HTTP_STATEMENT_S_DEFAULT,
}  # fmt: skip
_SAID = {
    "type": "object", "additionalProperties": False, "properties": {"comment": {"type": "string"}},
}  # fmt: skip


def description() -> _Part:
    return {
        "openapi": "3.1.0",
        "info": {"title": "Voltstream", "version": "1", "description": "Queries, rows and alerts."},
        "paths": {
            "/healthz": {"get": _get("Tells that the process lives.", _TEXT, open_to_all=True)},
            "/readyz": {"get": _get("Tells that queries are answered.", _TEXT, open_to_all=True)},
            "/metrics": {"get": _get("Metrics for Prometheus.", _TEXT, [_DATABASE])},
            "/v1/sql": {"get": _ask(), "post": _post_sql()},
            "/v1/live": {"get": _live()},
            "/v1/alerts": {"get": _alerts()},
            "/v1/alerts/events": {"get": _events()},
            "/v1/alerts/{alert_id}/acknowledge": {"post": _say("Acknowledges an alert.")},
            "/v1/alerts/{alert_id}/unacknowledge": {"post": _say("Takes that back.")},
            "/v1/alerts/{alert_id}/comment": {"post": _say("Adds a remark.", needed=True)},
            "/v1/ledger": {"get": _verdict()},
            "/v1/ledger/export": {"get": _export()},
            "/v1/sources/{name}/rows": {"post": _push()},
            "/v1/chargers/{name}/{command}": {"post": _command()},
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "password": {"type": "http", "scheme": "basic"},
            },
            "schemas": {"Error": _error_schema(), "Rows": _rows_schema()},
        },
        "security": [{}, {"token": []}, {"password": []}],
    }


def _error_schema() -> _Part:
    return {
        "type": "object",
        "required": ["message"],
        "properties": {
            "code": {"type": "string", "description": "SQLSTATE"},
            "message": {"type": "string"},
            "hint": {"type": ["string", "null"]},
        },
    }


def _rows_schema() -> _Part:
    column = {
        "type": "object",
        "required": ["name", "type"],
        "properties": {"name": {"type": "string"}, "type": {"type": "string"}},
    }
    return {
        "type": "object",
        "required": ["columns", "rows", "truncated"],
        "properties": {
            "columns": {"type": "array", "items": column},
            "rows": {"type": "array", "items": {"type": "array"}},
            "truncated": {"type": "boolean"},
            "command": {"type": "string", "description": "What was done, where data may change"},
        },
    }


def _json(schema: _Part) -> _Part:
    return {"application/json": {"schema": schema}}


_TEXT = {"text/plain": {"schema": {"type": "string"}}}
_ROWS = {
    **_json({"$ref": "#/components/schemas/Rows"}),
    "text/csv": {"schema": {"type": "string"}},
    ARROW: {"schema": {"type": "string", "format": "binary"}},
}


def _answers(content: _Part) -> _Part:
    refused = {
        status: {"description": text, "content": _json(_ERROR)}
        for status, text in _STATUSES.items()
    }
    return {"200": {"description": "Done.", "content": content}, **refused}


def _get(
    about: str, content: _Part, parameters: list[Any] | None = None, *, open_to_all: bool = False
) -> _Part:
    found: dict[str, Any] = {
        "summary": about, "parameters": parameters or [], "responses": _answers(content),
    }  # fmt: skip
    return {**found, "security": [{}]} if open_to_all else found


def _query(name: str, schema: _Part, about: str, *, required: bool = False) -> _Part:
    return {
        "name": name, "in": "query", "required": required, "schema": schema, "description": about,
    }  # fmt: skip


def _in_path(name: str, schema: _Part) -> _Part:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _ask() -> _Part:
    return _get("Answers one query.", _ROWS, [
        _query("q", {"type": "string"}, "The query.", required=True),
        _query("format", _FORMAT, "The form of the answer; else Accept decides."),
        _query("limit", _ROWS_ASKED, "The most rows."),
        _query("timeout_s", _SECONDS, "The most seconds."),
        _DATABASE,
    ])  # fmt: skip


def _post_sql() -> _Part:
    body = {
        "type": "object",
        "required": ["sql"],
        "additionalProperties": False,
        "properties": {
            "sql": {"type": "string"},
            "parameters": {"type": "array", "items": {}},
            "write": {"type": "boolean", "default": False},
            "format": _FORMAT,
            "limit": _ROWS_ASKED,
            "timeout_s": _SECONDS,
            "database": {"type": "string"},
            "search_path": {"type": "string"},
        },
    }
    return {
        "summary": "Runs one statement; it changes data only with write.",
        "requestBody": {"required": True, "content": _json(body)},
        "responses": _answers(_ROWS),
    }


def _live() -> _Part:
    return _get(
        "Streams the committed changes of views.",
        {"text/event-stream": {"schema": {"type": "string"}}},
        [
            _query("views", {"type": "string"}, "Names with commas between.", required=True),
            _query("rows", {"type": "boolean"}, "false: tell only that a view changed."),
            _DATABASE,
            {
                "name": "Last-Event-ID", "in": "header", "required": False,
                "schema": {"type": "string"}, "description": "Where to go on.",
            },
        ],
    )  # fmt: skip


def _listed() -> _Part:
    return _json({
        "type": "object",
        "required": ["rows", "truncated"],
        "properties": {
            "rows": {"type": "array", "items": {"type": "object"}},
            "truncated": {"type": "boolean"},
        },
    })  # fmt: skip


def _filters() -> list[_Part]:
    return [
        *(
            _query(name, {"type": "string"}, f"Only alerts of this {name}.")
            for name in ("rule", "entity", "severity")
        ),
        _query("limit", _LIMIT, "The most rows."),
        _DATABASE,
    ]


def _alerts() -> _Part:
    return _get("Lists open alerts, the newest first.", _listed(), [
        *_filters(),
        _query("acknowledged", _TRUE_OR_FALSE, "Only those that are, or are not."),
        _query("suppressed", _TRUE_OR_FALSE, "Only those that are, or are not."),
    ])  # fmt: skip


def _events() -> _Part:
    number = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    return _get("Lists what happened to alerts, in order.", _listed(), [
        *_filters(),
        _query("after", number, "Only events with a greater event_id."),
        _query("alert_id", number, "Only of this alert."),
    ])  # fmt: skip


def _say(about: str, *, needed: bool = False) -> _Part:
    number = {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}
    schema: dict[str, Any] = dict(_SAID)
    if needed:
        schema["required"] = ["comment"]
    answer = {"type": "object", "properties": {"alert_id": {"type": "integer"}}}
    return {
        "summary": about,
        "parameters": [_in_path("alert_id", number), _DATABASE],
        "requestBody": {"required": True, "content": _json(schema)},
        "responses": _answers(_json(answer)),
    }


def _verdict() -> _Part:
    one = {
        "chain_no": {"type": "integer"}, "cdr_id": {"type": "string"}, "reason": {"type": "string"},
    }  # fmt: skip
    answer = {
        "records": {"type": "integer"}, "holds": {"type": "boolean"}, "head": {"type": "string"},
        "breaks": {"type": "array", "items": {"type": "object", "properties": one}},
    }  # fmt: skip
    told = _json({"type": "object", "properties": answer})
    return _get("Proves that charge detail records are as they were issued.", told, [_DATABASE])


def _export() -> _Part:
    letters = {"type": "string", "pattern": "^[A-Za-z0-9]{2,3}$"}
    text = {"schema": {"type": "string"}}
    forms = {"type": "string", "enum": ["csv", "ocpi-2.2.1", "ocpi-2.3"], "default": "csv"}
    return _get(
        "Exports charge detail records, OCPI as a document a line.",
        {"text/csv": text, "application/x-ndjson": text},
        [
            _query("format", forms, "What is written."),
            _query("since", {"type": "string", "format": "date-time"}, "Issued from then on."),
            _query("country", letters, "OCPI: two letters of the country."),
            _query("party", letters, "OCPI: three letters of the operator."),
            _query("currency", letters, "OCPI: where a charger has none of its own."),
            _DATABASE,
        ],
    )


def _push() -> _Part:
    text = {"schema": {"type": "string"}}
    counts = {name: {"type": "integer"} for name in ("rows", "dead_letters", "epoch")}
    return {
        "summary": "Brings rows into a source; answered once they are durable.",
        "parameters": [
            _in_path("name", {"type": "string"}),
            _DATABASE,
            {
                "name": "Idempotency-Key", "in": "header", "required": False,
                "schema": {"type": "string"}, "description": "A batch sent twice counts once.",
            },
        ],
        "requestBody": {
            "required": True,
            "content": {"application/x-ndjson": text, "text/csv": text, **_json({"type": "array"})},
        },
        "responses": _answers(_json({"type": "object", "properties": counts})),
    }  # fmt: skip


def _command() -> _Part:
    return {
        "summary": "Sends a command to a charge point and gives its answer.",
        "parameters": [
            _in_path("name", {"type": "string"}),
            _in_path("command", {"type": "string"}),
            _DATABASE,
        ],
        "requestBody": {"required": False, "content": _json({"type": "array", "items": {}})},
        "responses": _answers(_json({"type": "object"})),
    }
