"""/v1/ledger: the proof of charge detail records, and their export."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from itertools import chain, islice
from typing import get_args

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from voltstream.core.errors import InvalidParameter, VoltstreamError
from voltstream.core.ports import Sessions
from voltstream.core.records import ExportForm, Issuer, Named, Record, RecordBook
from voltstream.web.answers import refusal
from voltstream.web.entry import caller_of
from voltstream.web.sessions import Asking, person, run

_PAGE_ROWS = 5_000  # Records read at a time: some 5 MB.
_FORMS: dict[str, ExportForm] = {form: form for form in get_args(ExportForm)}
_MEDIA = {"csv": "text/csv; charset=utf-8"}
_LETTERS = re.compile(r"[A-Za-z0-9]{2,3}")
_SINCE = re.compile(r"[0-9T:.+\- Z]{4,40}")


class LedgerRoutes:
    """Reads records in the caller's name."""

    def __init__(self, sessions: Sessions, book: RecordBook, default_database: str) -> None:
        self._sessions, self._book = sessions, book
        self._default_database = default_database

    def routes(self) -> list[Route]:
        async def verify(request: Request) -> Response:
            return await self._verify(request)

        async def export(request: Request) -> Response:
            return await self._export(request)

        return [
            Route("/v1/ledger", verify, methods=["GET"]),
            Route("/v1/ledger/export", export, methods=["GET"]),
        ]

    async def _verify(self, request: Request) -> Response:
        try:
            records = self._records(request, None)
            verdict = await run_in_threadpool(self._book.verdict, records)
        except VoltstreamError as error:
            return refusal(error)
        breaks = [
            {"chain_no": number, "cdr_id": name, "reason": reason}
            for number, name, reason in verdict.breaks
        ]
        told = {"records": verdict.records, "head": verdict.head, "holds": not breaks}
        return JSONResponse({**told, "breaks": breaks})

    async def _export(self, request: Request) -> Response:
        try:
            said = request.query_params
            form, issuer = _form(said), _issuer(said)
            records = self._records(request, _since(said))
            # What is refused is refused before the answer begins.
            first = await run_in_threadpool(lambda: list(islice(records, 1)))
        except VoltstreamError as error:
            return refusal(error)
        name = "charge-detail-records" + (".csv" if form == "csv" else f".{form}.ndjson")

        return StreamingResponse(
            self._book.export(chain(first, records), form, issuer, self._named(request)),
            media_type=_MEDIA.get(form, "application/x-ndjson"),
            headers={"Content-Disposition": f'attachment; filename="{name}"'},
        )

    def _named(self, request: Request) -> Named:
        """Return what finds one record by its id, with the rights of the caller."""
        user = person(caller_of(request))
        database = request.query_params.get("database", self._default_database)
        columns = ", ".join(self._book.columns)
        text = f"SELECT {columns} FROM charge_detail_records WHERE cdr_id = $1"

        def find(name: str) -> Record | None:
            found = run(self._sessions, database, user, Asking(text, [name], rows_max=1))
            return next((row for batch in found.batches for row in batch.to_pylist()), None)

        return find

    def _records(self, request: Request, since: str | None) -> Iterator[Record]:
        """Return what reads records page by page. Raises: VoltstreamError, at once or later."""
        user = person(caller_of(request))
        database = request.query_params.get("database", self._default_database)
        columns = ", ".join(self._book.columns)
        later = " AND issued_at >= $2::TIMESTAMPTZ" if since else ""
        text = (
            f"SELECT {columns} FROM charge_detail_records WHERE chain_no > $1{later}"
            f" ORDER BY chain_no LIMIT {_PAGE_ROWS}"
        )

        def read() -> Iterator[Record]:
            last = 0
            while True:
                values: list[object] = [last, since] if since else [last]
                asking = Asking(text, values, rows_max=_PAGE_ROWS)
                found = run(self._sessions, database, user, asking)
                rows = [row for batch in found.batches for row in batch.to_pylist()]
                yield from rows
                if len(rows) < _PAGE_ROWS:
                    return
                last = int(rows[-1]["chain_no"])

        return read()


def _form(said: Mapping[str, str]) -> ExportForm:
    """Raises: InvalidParameter (22023)."""
    form = _FORMS.get(said.get("format", "csv"))
    if form is None:
        raise InvalidParameter('"format" is not known', hint=f"Known are {', '.join(_FORMS)}.")
    return form


def _issuer(said: Mapping[str, str]) -> Issuer:
    """Raises: InvalidParameter (22023)."""
    given = {name: said[name] for name in ("country", "party", "currency") if name in said}
    for name, value in given.items():
        if not _LETTERS.fullmatch(value):
            raise InvalidParameter(f'"{name}" must be two or three letters')
    return Issuer(**given)


def _since(said: Mapping[str, str]) -> str | None:
    """Raises: InvalidParameter (22023)."""
    since = said.get("since")
    if since is not None and not _SINCE.fullmatch(since):
        raise InvalidParameter('"since" must be an instant')
    return since
