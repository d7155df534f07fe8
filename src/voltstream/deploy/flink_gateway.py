"""Statements to Apache Flink, over the REST API of its SQL Gateway."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.util.retry import Retry

from voltstream.core.errors import InvalidParameter, TargetRefused, TargetUnavailable
from voltstream.core.limits import FLINK_STATEMENT_S, FLINK_VERSION_MIN
from voltstream.deploy.kafka_access import masked

_TIMEOUT = urllib3.Timeout(connect=5, read=60)
_TRIES = 3
_LOOK_S, _LOOK_S_MAX = 0.05, 1.0
_ERROR_CHARACTERS = 600
_CAUSE = re.compile(r"^Caused by: (?:[\w.$]+(?:Exception|Error))?:? ?(.*)$")


@dataclass(frozen=True, slots=True)
class FlinkAnswer:
    """What a statement gave. ``job_id`` is set when it started a job."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    job_id: str | None


class FlinkGateway:
    """One SQL Gateway. It is asked, again where that does no harm, until it answers."""

    def __init__(self, url: str, token: str | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            hint = "It is the address of a SQL Gateway: http://host:8083."
            raise InvalidParameter(f'"{url}" is not the address of a Flink cluster', hint=hint)
        self._url = url.rstrip("/")
        headers = {"user-agent": "voltstream", "accept": "application/json"}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        # A statement is sent once: whether it was taken cannot be known when the answer is lost.
        again = Retry(total=_TRIES, backoff_factor=0.2, allowed_methods=("GET", "DELETE"))
        self._pool = urllib3.PoolManager(headers=headers, timeout=_TIMEOUT, retries=again)

    def version(self) -> str:
        """Return the cluster's version. Raises: TargetUnavailable, TargetRefused."""
        told = self.ask("GET", "/v1/info")
        version = str(told.get("version", ""))
        major = version.split(".", 1)[0]
        if told.get("productName") != "Apache Flink" or not major.isdigit():
            raise TargetRefused(f"no SQL Gateway of Flink answers at {self._url}")
        if int(major) < FLINK_VERSION_MIN:
            raise TargetRefused(
                f"Flink {version} is too old", hint=f"Flink {FLINK_VERSION_MIN}.0 or newer."
            )
        return version

    @contextmanager
    def session(self, settings: Mapping[str, str]) -> Iterator[FlinkSession]:
        """Open a session with these settings, and close it. What it defines ends with it."""
        handle = str(self.ask("POST", "/v1/sessions", {"properties": dict(settings)}).get(
            "sessionHandle"))  # fmt: skip
        try:
            yield FlinkSession(self, handle)
        finally:
            self.ask("DELETE", f"/v1/sessions/{handle}")

    def ask(self, verb: str, path: str, body: Any = None) -> dict[str, Any]:
        """Return the answer. Raises: TargetUnavailable (08006), TargetRefused (HV000)."""
        try:
            answer = self._pool.request(
                verb,
                self._url + path,
                body=None if body is None else json.dumps(body),
                headers={**self._pool.headers, "content-type": "application/json"},
            )
        except urllib3.exceptions.HTTPError as error:
            raise TargetUnavailable(
                f"Flink does not answer at {self._url}: {type(error).__name__}",
                hint="It wants the address of the SQL Gateway, not the JobManager's.",
            ) from error
        try:
            told = json.loads(answer.data)
        except ValueError:
            told = None
        if answer.status == 200 and isinstance(told, dict):
            return told
        errors = told.get("errors") if isinstance(told, dict) else None
        if not errors:
            raise TargetUnavailable(f"{self._url} answered {answer.status}, not as Flink does")
        raise TargetRefused(f"Flink refused: {reason(str(errors[-1]))}")


class FlinkSession:
    """A session of a gateway: statements one after another."""

    def __init__(
        self,
        gateway: FlinkGateway,
        handle: str,
        now_s: Callable[[], float] = time.monotonic,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self._gateway = gateway
        self._path = f"/v1/sessions/{handle}"
        self._now_s, self._wait = now_s, wait

    def run(self, statement: str) -> FlinkAnswer:
        """Run one statement to its end.

        Raises: TargetRefused (HV000) in Flink's words; TargetUnavailable (08006), also when it
        does not end in time.
        """
        sent = self._gateway.ask("POST", f"{self._path}/statements", {"statement": statement})
        operation = f"{self._path}/operations/{sent['operationHandle']}"
        rows: list[tuple[Any, ...]] = []
        columns: tuple[str, ...] = ()
        job_id: str | None = None
        page, look_s, end_s = 0, _LOOK_S, self._now_s() + FLINK_STATEMENT_S
        while True:
            told = self._gateway.ask("GET", f"{operation}/result/{page}?rowFormat=JSON")
            if told["resultType"] == "NOT_READY":
                if self._now_s() > end_s:
                    self._gateway.ask("DELETE", f"{operation}/cancel")
                    raise TargetUnavailable(f"Flink has not answered in {FLINK_STATEMENT_S} s")
                self._wait(look_s)
                look_s = min(2 * look_s, _LOOK_S_MAX)
                continue
            results = told["results"]
            columns = tuple(str(column["name"]) for column in results["columns"])
            rows += [tuple(row["fields"]) for row in results["data"]]
            job_id = told.get("jobID") or job_id
            if told["resultType"] == "EOS" or not told.get("nextResultUri"):
                return FlinkAnswer(columns, rows, job_id)
            page += 1


def reason(trace: str) -> str:
    """Return the innermost cause of what Flink printed as a stack trace."""
    said: list[str] = []
    for line in trace.splitlines():
        if found := _CAUSE.match(line):
            if found[1]:
                said = [found[1]]
        elif line.startswith(("\tat ", "\t...", "End of exception on server side")):
            continue
        elif said:
            said.append(line.strip())
    text = " ".join(said) or trace.strip().splitlines()[0]
    return masked(text)[:_ERROR_CHARACTERS]
