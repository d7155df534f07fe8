"""A report as text: a table, and bars for its main column."""

from __future__ import annotations

from bench.suite import Report, Row

_BAR_CHARACTERS = 40


def lines(report: Report) -> list[str]:
    shown = [f"== {report.name}: {report.told}", ""]
    if report.rows:
        shown += _table(report.rows)
    if report.bar:
        shown += ["", *_bars(report.rows, report.bar)]
    shown += [f"  {note}" for note in report.notes]
    return [*shown, ""]


def _table(rows: list[Row]) -> list[str]:
    names = list(dict.fromkeys(name for row in rows for name in row))
    cells = [names, *([_text(row.get(name)) for name in names] for row in rows)]
    widths = [max(len(line[i]) for line in cells) for i in range(len(names))]
    out = []
    for line in cells:
        first, *rest = (
            text.ljust(width) if i == 0 else text.rjust(width)
            for i, (text, width) in enumerate(zip(line, widths, strict=True))
        )
        out.append("  " + "  ".join([first, *rest]).rstrip())
    return out


def _text(value: str | float | int | None) -> str:
    match value:
        case None:
            return "-"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
        case _:
            return value


def _bars(rows: list[Row], column: str) -> list[str]:
    values = [(str(next(iter(row.values()))), row.get(column)) for row in rows]
    known = [value for _, value in values if isinstance(value, int | float)]
    most = max(known, default=0) or 1
    width = max(len(name) for name, _ in values)
    return [
        f"  {name.ljust(width)}  {'█' * max(1, round(value / most * _BAR_CHARACTERS))}"
        for name, value in values
        if isinstance(value, int | float)
    ]
