"""The published matrix: each feature, and what each target makes of it."""

from __future__ import annotations

from collections.abc import Mapping

from voltstream.deploy.script import Target
from voltstream.sql.targets import flink_verdicts, risingwave, timescaledb
from voltstream.sql.targets.features import Feature, Fidelity, Verdict, Verdicts
from voltstream.sql.targets.flink import FlinkWords
from voltstream.sql.targets.postgres import PostgresWords
from voltstream.sql.targets.risingwave import RisingWaveWords
from voltstream.sql.targets.timescaledb import TimescaleWords
from voltstream.sql.targets.words import Words

VERDICTS: Mapping[Target, Verdicts] = {
    Target.FLINK: flink_verdicts.VERDICTS,
    Target.RISINGWAVE: risingwave.VERDICTS,
    Target.TIMESCALEDB: timescaledb.VERDICTS,
}
WORDS: Mapping[Target, type[Words]] = {
    Target.FLINK: FlinkWords,
    Target.RISINGWAVE: RisingWaveWords,
    Target.TIMESCALEDB: TimescaleWords,
}


def feature_lines() -> list[str]:
    """Return the table of features as Markdown."""
    lines = ["| Feature | Flink | RisingWave | TimescaleDB |", "|---|---|---|---|"]
    for feature in Feature:
        cells = [_cell(VERDICTS[target][feature]) for target in Target]
        lines.append(f"| {feature.title} | {' | '.join(cells)} |")
    return lines


def _cell(verdict: Verdict) -> str:
    said = (
        [verdict.said, verdict.instead]
        if verdict.fidelity is not Fidelity.EXACT
        else [verdict.said]
    )
    told = ". ".join(text.rstrip(".") for text in said if text)
    word = verdict.fidelity.value
    mark = word if verdict.fidelity is Fidelity.EXACT else f"**{word}**"
    return f"{mark}: {told}" if told else mark


def function_lines() -> list[str]:
    """Return the functions that every target knows, and those that some do, as Markdown."""
    every = sorted({*PostgresWords.calls, *FlinkWords.calls})
    known = {target: {*words.calls} for target, words in WORDS.items()}
    known[Target.FLINK] |= {"row", "generate_series"}  # Written with the rows they are of.
    lines = ["| Function | Flink | RisingWave | TimescaleDB |", "|---|---|---|---|"]
    for name in every:
        cells = ["yes" if name in known[target] else "**refused**" for target in Target]
        lines.append(f"| `{_public(name)}` | {' | '.join(cells)} |")
    return lines


_PUBLIC = {
    "_vs_div": "numeric / numeric", "_vs_epoch": "extract(epoch from instant)",
    "_vs_span_epoch": "extract(epoch from interval)", "epoch_ms": "time in milliseconds",
    "to_microseconds": "interval of seconds", "timezone": "at time zone",
    "_vs_regexp_like": "~", "_vs_integer_text": "text::integer", "date_part": "extract(field)",
    "row": "max(row(…))", "struct_extract_at": "a field of max(row(…))",
    "_vs_interval_over": "interval / number",
    "_vs_interval_times": "interval * number", "_vs_elapsed": "instant - instant",
    "_vs_trunc_instant": "date_trunc(instant)", "_vs_to_char": "to_char()",
    "_vs_finite": "a finite instant", "_vs_boolean_text": "text::boolean",
    "_vs_float_text": "float::text",
    "_vs_sqrt": "sqrt() of floats", "_vs_ln": "ln() of floats", "_vs_exp": "exp() of floats",
    "_vs_power": "power() of floats", "_vs_json_normal": "text::jsonb", "_vs_json_text": "->>",
    "json_extract": "->",
}  # fmt: skip


def _public(name: str) -> str:
    return _PUBLIC.get(name, f"{name}()")
