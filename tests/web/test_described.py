"""The description of the HTTP interface, tried: what it allows is answered as it says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings

from tests.driver import Engine
from voltstream.cli.record_book import Book
from voltstream.core.clock import ManualClock
from voltstream.web.app import build_app
from voltstream.web.entry import EntryPolicy

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
of_openapi = pytest.importorskip("schemathesis.specs.openapi.checks")
EXAMPLES = 4
# That any text is a query, no description can promise: a refusal is an answer too.
_CHECKS = (
    schemathesis.checks.not_a_server_error, of_openapi.status_code_conformance,
    of_openapi.content_type_conformance, of_openapi.response_schema_conformance,
)  # fmt: skip
# What a stream answers has no end; commands need a gateway.
_LEFT_OUT = ("/v1/live", "/v1/chargers/{name}/{command}")


def test_answers_are_as_described(tmp_path: Path) -> None:
    engine = Engine(tmp_path / "data", ManualClock())
    try:
        engine.run("CREATE SOURCE reads (a INT); CREATE TABLE t (k INT)")
        instance = engine.instance
        policy = EntryPolicy(near_all=True, hosts=("testserver",))
        app = build_app(instance, instance, instance, policy, book=Book(), requests_per_s=1e9)
        schema: Any = schemathesis.openapi.from_asgi("/openapi.json", app)
        tried = 0
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path in _LEFT_OUT:
                continue

            @settings(
                max_examples=EXAMPLES, deadline=None, derandomize=True,
                suppress_health_check=list(HealthCheck),
            )  # fmt: skip
            @given(case=operation.as_strategy())
            def answered(case: Any) -> None:
                case.call_and_validate(checks=list(_CHECKS))

            answered()
            tried += 1
        assert tried == 13
    finally:
        engine.close()
