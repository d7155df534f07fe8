"""Sink target: an HTTP endpoint, told of each change.

Requests are signed as https://www.standardwebhooks.com says: the receiver checks the HMAC over id,
time and body, and knows a repeated one by its id.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

import urllib3

from voltstream.connectors.properties import required
from voltstream.core.clock import Clock
from voltstream.core.errors import InvalidParameter
from voltstream.core.limits import WEBHOOK_BATCH_ROWS_MAX
from voltstream.core.ports import SinkRecord, SinkRefused, SinkUnavailable

_TIMEOUT = urllib3.Timeout(connect=5, read=15)
_PASSING = frozenset({408, 425, 429})  # And every 5xx: the same request may pass later.
_REASON_CHARACTERS = 200


class WebhookSink:
    """Sends records one by one, or ``batch_rows`` of them as an array, in order.

    Shape: properties ``url``, ``secret``, ``batch_rows`` and ``header.<name>``.
    """

    def __init__(self, name: str, properties: Mapping[str, str], clock: Clock) -> None:
        owner = f'sink "{name}"'
        self._clock = clock
        self._url = required(properties, "url", owner)
        parts = urlsplit(self._url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            hint = "It begins with http:// or https://."
            raise InvalidParameter(f'{owner} cannot take "{self._url}" as "url"', hint=hint)
        self._identity = properties.get("sink.identity", name)
        self._sign = _signer(properties.get("secret", ""), owner)
        self._batch_rows = _batch_rows(properties, owner)
        self._headers = {
            key.removeprefix("header."): value
            for key, value in properties.items()
            if key.startswith("header.")
        } | {"content-type": "application/json", "user-agent": "voltstream"}
        self._stopping = threading.Event()
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, timeout=_TIMEOUT)
        # Of a delivery that was cut off: where it goes on, and what was refused before.
        self._sent: tuple[int, int] | None = None
        self._refused: list[tuple[SinkRecord, str]] = []

    def deliver(self, records: Sequence[SinkRecord]) -> None:
        for first in range(0, len(records), self._batch_rows):
            group = records[first : first + self._batch_rows]
            if self._sent is not None and _place(group[-1]) <= self._sent:
                continue
            if self._stopping.is_set():
                raise SinkUnavailable("the sink is stopping")
            reason = self._post(group)
            self._sent = _place(group[-1])
            if reason is not None:
                self._refused += [(record, reason) for record in group]
        refused, self._refused = self._refused, []
        if refused:
            raise SinkRefused(refused)

    def interrupt(self) -> None:
        self._stopping.set()

    def close(self) -> None:
        self._pool.clear()

    def _post(self, group: Sequence[SinkRecord]) -> str | None:
        """Send one request. Returns why it was refused for ever. Raises: SinkUnavailable."""
        documents = [_document(record) for record in group]
        single = self._batch_rows == 1
        body = documents[0] if single else b"[" + b",".join(documents) + b"]"
        identity = f"{self._identity}.{group[0].epoch}.{group[0].ordinal}"
        at = str(self._clock.now_us() // 1_000_000)
        signed = {"webhook-id": identity, "webhook-timestamp": at}
        if self._sign is not None:
            signed["webhook-signature"] = self._sign(f"{identity}.{at}.".encode() + body)
        try:
            answer = self._pool.request(
                "POST", self._url, body=body, headers={**self._headers, **signed}, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise SinkUnavailable(f"no answer: {type(error).__name__}") from error
        if 200 <= answer.status < 300:
            return None
        shown = answer.data[:_REASON_CHARACTERS].decode(errors="replace").strip()
        reason = f"answered {answer.status}" + (f": {shown}" if shown else "")
        if answer.status >= 500 or answer.status in _PASSING:
            raise SinkUnavailable(reason)
        return reason


def _signer(secret: str, owner: str) -> Callable[[bytes], str] | None:
    if not secret:
        return None
    key = secret.encode()
    if secret.startswith("whsec_"):
        try:
            key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
        except binascii.Error as error:
            raise InvalidParameter(f'{owner}: "secret" is no base64 after whsec_') from error

    def sign(signed: bytes) -> str:
        return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()

    return sign


def _batch_rows(properties: Mapping[str, str], owner: str) -> int:
    written = properties.get("batch_rows", "1")
    if not written.isdecimal() or not 1 <= int(written) <= WEBHOOK_BATCH_ROWS_MAX:
        hint = f"It is a number from 1 to {WEBHOOK_BATCH_ROWS_MAX}."
        raise InvalidParameter(f'{owner} cannot take "{written}" as "batch_rows"', hint=hint)
    return int(written)


def _document(record: SinkRecord) -> bytes:
    if record.value is not None:
        return record.value
    return json.dumps({"deleted": json.loads(record.key or b"null")}).encode()


def _place(record: SinkRecord) -> tuple[int, int]:
    return record.epoch, record.ordinal
