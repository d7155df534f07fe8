"""Source: an HTTP API that is asked again and again, as head-end systems offer one."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit, urlunsplit

import urllib3
from urllib3.util.retry import Retry

from voltstream.connectors.properties import choice, required, seconds
from voltstream.connectors.window import OutstandingBatches
from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.limits import REST_BODY_BYTES_MAX, REST_POLL_BYTES_MAX
from voltstream.core.ports import RawBatch, SourceFeed, Stopped

RETRY_S_MIN, RETRY_S_MAX = 1.0, 300.0
_TIMEOUT = urllib3.Timeout(connect=5, read=30)
_NEXT = re.compile(r'<([^>]*)>[^,]*;\s*rel="?next"?')
_PAGING = ("none", "link", "cursor", "page", "offset")
_LOG = logging.getLogger(__name__)


class _Unanswered(Exception):
    """No answer that can be used. ``wait_s``: what the server asks for."""

    def __init__(self, reason: str, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.wait_s = wait_s


class _Boundary:
    """How far an API was read: the greatest cursor, and the rows that were seen there.

    An API that is asked for what is since a moment gives that moment's rows again, and may still
    get new ones of it.
    """

    def __init__(self, field: str, stored: Mapping[str, str], start: str) -> None:
        self._field = field.split(".") if field else []
        self.cursor = stored.get("cursor", start)
        self._seen = set(json.loads(stored.get("seen", "[]")))

    def is_new(self, row: Any, record: bytes) -> bool:
        if not self._field:
            return True
        value = _at(row, self._field)
        if value is None:
            return True
        cursor = value if isinstance(value, str) else json.dumps(value)
        name = hashlib.sha256(record).hexdigest()[:16]
        if cursor == self.cursor and name in self._seen:
            return False
        if self.cursor == "" or _is_after(cursor, self.cursor):
            self.cursor, self._seen = cursor, {name}
        elif cursor == self.cursor:
            self._seen.add(name)
        return True

    def stored(self) -> dict[str, str]:
        return {"cursor": self.cursor, "seen": json.dumps(sorted(self._seen))}


class RestSource:
    """Polls a URL and takes the JSON rows of its pages.

    Shape: properties ``url``, ``poll.interval.s``, ``rows.path``, ``paging`` (none, link, cursor,
    page, offset) with ``paging.param`` and ``paging.next.path``, ``cursor.field``,
    ``cursor.param``, ``cursor.start``, ``auth.token``, ``auth.user`` with ``auth.password``,
    ``requests.per.second`` and ``header.<name>``.
    """

    def __init__(self, feed: SourceFeed) -> None:
        owner = f'source "{feed.source}"'
        given = feed.properties
        self._feed = feed
        self._owner = owner
        self._url = required(given, "url", owner)
        if urlsplit(self._url).scheme not in ("http", "https"):
            raise InvalidParameter(f'{owner} cannot take "{self._url}" as "url"')
        self._interval_s = seconds(given, "poll.interval.s", "60", owner)
        self._pause_s = 1 / seconds(given, "requests.per.second", "10", owner)
        self._rows_path = _path(given.get("rows.path", ""))
        self._paging = choice(given, "paging", _PAGING, owner)
        self._param = given.get("paging.param", "")
        self._next_path = _path(given.get("paging.next.path", ""))
        if self._paging in ("cursor", "page", "offset") and not self._param:
            raise InvalidParameter(f'{owner} needs the property "paging.param"')
        if self._paging == "cursor" and not self._next_path:
            raise InvalidParameter(f'{owner} needs the property "paging.next.path"')
        self._cursor_field = given.get("cursor.field", "")
        self._cursor_param = given.get("cursor.param", "")
        self._cursor_start = given.get("cursor.start", "")
        self._headers = _headers(given)
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=1, retries=False, timeout=_TIMEOUT)
        self._stop = threading.Event()
        self._outstanding = OutstandingBatches(feed, self._stop)
        self._asked_s = 0.0
        self._thread = threading.Thread(target=self._run, name=f"rest-{feed.source}", daemon=True)

    def start(self) -> None:
        self._feed.report("connecting", _shown(self._url))
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive() and self._thread is not threading.current_thread():
            self._thread.join()
        self._pool.clear()

    def _run(self) -> None:
        retry_s = RETRY_S_MIN
        while not self._stop.is_set():
            wait_s = self._interval_s
            try:
                self._outstanding.forget()
                self._poll()
                self._feed.report("running", _shown(self._url))
                retry_s = RETRY_S_MIN
            except Stopped:
                return
            except _Unanswered as error:
                wait_s = error.wait_s if error.wait_s is not None else retry_s
                retry_s = min(retry_s * 2, RETRY_S_MAX)
                self._feed.report("disconnected", str(error))
            except VoltstreamError as error:
                wait_s, retry_s = retry_s, min(retry_s * 2, RETRY_S_MAX)
                _LOG.warning("%s: %s", self._owner, error)
                self._feed.report("failed", f"{error.message}; trying again")
            self._stop.wait(wait_s)

    def _poll(self) -> None:
        """Take every page. The cursor is stored with the last rows, so a poll is whole or not."""
        boundary = _Boundary(self._cursor_field, self._feed.offsets(), self._cursor_start)
        lines: list[bytes] = []
        size = 0
        for rows in self._pages(boundary.cursor):
            for row in rows:
                record = json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()
                if boundary.is_new(row, record):
                    lines.append(record)
                    size += len(record)
            if size >= REST_POLL_BYTES_MAX:  # A crash from here on takes these rows twice.
                self._outstanding.submit(self._batch(lines, {}))
                lines, size = [], 0
        if lines:
            offsets = boundary.stored() if self._cursor_field else {}
            self._outstanding.submit(self._batch(lines, offsets))
        self._outstanding.settle()

    def _batch(self, lines: list[bytes], offsets: Mapping[str, str]) -> RawBatch:
        return RawBatch("json", records=lines, offsets=offsets, position=_shown(self._url))

    def _pages(self, cursor: str) -> Iterator[list[Any]]:
        url = self._url
        if self._cursor_param and cursor:
            url = _with_parameter(url, self._cursor_param, cursor)
        number = 1 if self._paging == "page" else 0
        first = url
        if self._paging in ("page", "offset"):
            url = _with_parameter(first, self._param, str(number))
        while True:
            answer, body = self._ask(url)
            document = _document(body)
            rows = _at(document, self._rows_path)
            if not isinstance(rows, list):
                where = ".".join(self._rows_path) or "the whole answer"
                raise _Unanswered(f"{where} is no array of rows")
            yield rows
            following: str | None = None
            match self._paging:
                case "link":
                    found = _NEXT.search(answer.headers.get("link", ""))
                    following = urljoin(url, found.group(1)) if found else None
                case "cursor":
                    token = _at(document, self._next_path)
                    known = token is not None and token != ""
                    following = _with_parameter(first, self._param, str(token)) if known else None
                case "page" | "offset" if rows:
                    number += 1 if self._paging == "page" else len(rows)
                    following = _with_parameter(first, self._param, str(number))
                case _:
                    pass
            if following is None or following == url:
                return
            if urlsplit(following)[:2] != urlsplit(self._url)[:2]:
                raise _Unanswered("the next page is on another host, which gets no credentials")
            url = following

    def _ask(self, url: str) -> tuple[urllib3.BaseHTTPResponse, bytes]:
        wait_s = self._asked_s + self._pause_s - time.monotonic()
        if self._stop.wait(max(wait_s, 0)):
            raise Stopped
        self._asked_s = time.monotonic()
        try:
            answer = self._pool.request(
                "GET", url, headers=self._headers, redirect=False, preload_content=False
            )
            body = answer.read(REST_BODY_BYTES_MAX + 1)
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise _Unanswered(f"no answer: {type(error).__name__}") from error
        if answer.status != 200:
            wait = Retry().get_retry_after(answer) if answer.status in (429, 503) else None
            raise _Unanswered(f"answered {answer.status}", wait)
        if len(body) > REST_BODY_BYTES_MAX:
            raise _Unanswered(f"a page of more than {REST_BODY_BYTES_MAX} bytes")
        return answer, body


def _document(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError as error:
        raise _Unanswered(f"no JSON: {error}") from error


def _at(document: Any, path: list[str]) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document


def _path(written: str) -> list[str]:
    return [name for name in written.removeprefix("$").split(".") if name]


def _is_after(one: str, other: str) -> bool:
    """Compare numbers as numbers, and texts (RFC 3339 instants, keys) as texts."""
    try:
        return float(one) > float(other)
    except ValueError:
        return one > other


def _with_parameter(url: str, name: str, value: str) -> str:
    parts = urlsplit(url)
    kept = [(k, v) for k, v in parse_qsl(parts.query, keep_blank_values=True) if k != name]
    return urlunsplit(parts._replace(query=urlencode([*kept, (name, value)])))


def _headers(given: Mapping[str, str]) -> dict[str, str]:
    headers = {
        name.removeprefix("header."): value
        for name, value in given.items()
        if name.startswith("header.")
    } | {"accept": "application/json", "user-agent": "voltstream"}
    if "auth.token" in given:
        headers["authorization"] = f"Bearer {given['auth.token']}"
    elif "auth.user" in given:
        pair = f"{given['auth.user']}:{given.get('auth.password', '')}"
        headers |= urllib3.make_headers(basic_auth=pair)
    return headers


def _shown(url: str) -> str:
    """Return a URL without what may be secret in it."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
