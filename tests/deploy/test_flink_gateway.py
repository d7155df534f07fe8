"""What of Flink's gateway needs no Flink; the rest is in tests/cluster."""

from __future__ import annotations

import pytest

from voltstream.core.errors import InvalidParameter, TargetUnavailable
from voltstream.deploy.flink_gateway import FlinkGateway, reason
from voltstream.deploy.flink_jobs import FlinkProgram

TRACE = """org.apache.flink.table.gateway.service.utils.SqlExecutionException: Failed to execute.
\tat org.apache.flink.Service.run(Service.java:1)
Caused by: org.apache.flink.table.api.ValidationException: Unable to create a sink
\t... 11 more
Caused by: org.apache.flink.table.api.ValidationException: Could not find any factory for 'kafkaa'

Available factory identifiers are:

kafka
\tat org.apache.flink.table.factories.FactoryUtil.discoverFactory(FactoryUtil.java:1)
\t... 12 more
"""


def test_the_innermost_cause_is_told_without_the_stack() -> None:
    told = reason(TRACE)
    assert told.startswith("Could not find any factory for 'kafkaa'")
    assert told.endswith("kafka") and "FactoryUtil" not in told
    assert reason("Session is gone") == "Session is gone"


def test_flows_run_as_one_set() -> None:
    program = FlinkProgram("p", (), ("INSERT INTO a SELECT 1;", "INSERT INTO b SELECT 2"))
    assert program.statement_set() == (
        "STATEMENT SET\nBEGIN\nINSERT INTO a SELECT 1;\nINSERT INTO b SELECT 2;\nEND"
    )


def test_an_address_is_one() -> None:
    with pytest.raises(InvalidParameter, match="not the address of a Flink cluster"):
        FlinkGateway("localhost:8083")


def test_nobody_answers() -> None:
    with pytest.raises(TargetUnavailable, match="does not answer") as error:
        FlinkGateway("http://127.0.0.1:9").version()  # The port of discard, where nobody is.
    assert error.value.sqlstate == "08006"
