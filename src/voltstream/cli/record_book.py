"""Charge detail records for those who may not know the gateway: their proof and their exports."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from voltstream.core.records import ExportForm, Issuer, Named, Record, Verdict
from voltstream.ocpp import chain
from voltstream.ocpp.ocpi import OcpiVersion, Party, documents

_OCPI: dict[ExportForm, OcpiVersion] = {"ocpi-2.2.1": "2.2.1", "ocpi-2.3": "2.3"}
_BREAKS_MAX = 100  # What a reader is told; a chain that is cut has one for every record behind it.


class Book:
    """The chain and the formats of the gateway."""

    @property
    def columns(self) -> Sequence[str]:
        return chain.COLUMNS

    def verdict(self, records: Iterable[Record]) -> Verdict:
        count, head = 0, chain.GENESIS

        def counted() -> Iterator[Record]:
            nonlocal count, head
            for record in records:
                count += 1
                head = str(record["hash"])
                yield record

        told: list[tuple[int, str, str]] = []
        for one in chain.breaks(counted()):
            if len(told) < _BREAKS_MAX:
                told.append((one.chain_no, one.cdr_id, one.reason))
        return Verdict(count, head, told)

    def export(
        self, records: Iterable[Record], form: ExportForm, issuer: Issuer, named: Named
    ) -> Iterator[str]:
        if form == "csv":
            yield from _csv(records)
            return
        party = Party(issuer.country, issuer.party, issuer.currency)
        for record in records:
            before = record["supersedes"]
            old = None if before is None else named(str(before))
            for document in documents(record, old, party, _OCPI[form]):
                yield json.dumps(document, ensure_ascii=False) + "\n"


def _csv(records: Iterable[Record]) -> Iterator[str]:
    """Yield lines whose values are spelled as they are sealed."""
    line = io.StringIO()
    writer = csv.writer(line)

    def written(cells: Iterable[Any]) -> str:
        line.seek(0)
        line.truncate()
        writer.writerow(cells)
        return line.getvalue()

    yield written(chain.COLUMNS)
    for record in records:
        yield written(_harmless(chain.spelled(name, record[name])) for name in chain.COLUMNS)


def _harmless(value: Any) -> Any:
    """Keep a spreadsheet from taking a charger's text for a formula."""
    return "'" + value if isinstance(value, str) and value[:1] in "=+-@\t" and value else value
