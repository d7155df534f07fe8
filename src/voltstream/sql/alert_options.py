"""What makes a materialized view an alert rule: WITH (alert.key = …, alert.severity = …)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from voltstream.core.errors import InvalidDatetime, InvalidParameter
from voltstream.sql.natives.intervals import parse_interval

PREFIX = "alert"
SEVERITIES = ("info", "warning", "error", "critical")  # The mildest first.
_DAY_US = 86_400_000_000
_OPTIONS = (
    "key", "severity", "title", "rule", "open_after", "clear_after", "suppressed_by", "update_on",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class AlertOptions:
    """The options of a rule. Units: microseconds."""

    key: tuple[str, ...]
    severity: str
    title: str | None
    rule: str | None
    open_after_us: int
    clear_after_us: int
    suppressed_by: frozenset[str]
    update_on: tuple[str, ...]


def alert_options(properties: Mapping[str, str]) -> AlertOptions | None:
    """Return what a view says of its alerts, None where it is no rule.

    Raises: InvalidParameter (22023).
    """
    said = {
        name.removeprefix(f"{PREFIX}."): text
        for name, text in properties.items()
        if name.split(".")[0] == PREFIX
    }
    if not said:
        return None
    for name in said:
        if name not in _OPTIONS:
            raise InvalidParameter(
                f'unrecognized parameter "{PREFIX}.{name}"',
                hint=f"A rule has {', '.join(f'{PREFIX}.{one}' for one in _OPTIONS)}.",
            )
    key = _names(said.get("key", ""))
    if not key:
        raise InvalidParameter(
            f"an alert rule needs {PREFIX}.key",
            hint=f"Name the columns that say what an alert is about: {PREFIX}.key = 'meter_id'.",
        )
    severity = said.get("severity", "warning").lower()
    if severity not in SEVERITIES:
        raise _invalid("severity", severity, f"Use one of {', '.join(SEVERITIES)}.")
    return AlertOptions(
        key=key,
        severity=severity,
        title=said.get("title"),
        rule=said.get("rule"),
        open_after_us=_span_us(said, "open_after"),
        clear_after_us=_span_us(said, "clear_after"),
        suppressed_by=frozenset(_names(said.get("suppressed_by", ""))),
        update_on=_names(said.get("update_on", "severity")),
    )


def _names(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))


def _span_us(said: Mapping[str, str], name: str) -> int:
    text = said.get(name)
    if text is None:
        return 0
    try:
        span = parse_interval(text)
    except InvalidDatetime:
        raise _invalid_span(name, text) from None
    total = span.days * _DAY_US + span.us
    if span.months or total < 0:
        raise _invalid_span(name, text)
    return total


def _invalid_span(name: str, text: str) -> InvalidParameter:
    return _invalid(name, text, "Write an interval of seconds, minutes, hours, days or weeks.")


def _invalid(name: str, text: str, hint: str) -> InvalidParameter:
    return InvalidParameter(f'invalid value for parameter "{PREFIX}.{name}": "{text}"', hint=hint)
