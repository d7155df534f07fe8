"""SQL macros that open a summary to its stretches of time: state_timeline, live_ranges and kin.

Law: the stretches of a timeline follow one another without overlap; live and dead ranges together
are the whole stretch that a heartbeat summary covers.
Shape: what a lambda reads is handed to it by another, since it cannot hold a subquery.
Source: the names and results of TimescaleDB Toolkit.
"""

from __future__ import annotations

from sqlglot import exp

_SPAN = ("start_time", "end_time")
_LINE = ("state", *_SPAN)
# Functions that return rows, with their columns.
ROWS = {
    "state_timeline": _LINE, "state_int_timeline": _LINE, "interpolated_state_timeline": _LINE,
    "interpolated_state_int_timeline": _LINE, "state_periods": _SPAN,
    "interpolated_state_periods": _SPAN, "into_values": ("state", "duration"),
    "into_int_values": ("state", "duration"), "live_ranges": ("start", "end"),
    "dead_ranges": ("start", "end"),
}  # fmt: skip

MACROS = (
    ("_vs_timeline(spans)",
     "list_transform(spans, lambda x: {'state': x.s, 'start_time': x.t0, 'end_time': x.t1})"),
    ("_vs_periods(spans, state)",
     "list_transform(list_filter(spans, lambda x: x.s = state), "
     "lambda x: {'start_time': x.t0, 'end_time': x.t1})"),
    ("_vs_state_timeline(a)", "_vs_timeline(a.spans)"),
    ("_vs_state_periods(a, state)", "_vs_periods(a.spans, state)"),
    # The state before goes on until the first row; the last one until the end of the stretch.
    ("_vs_filled_spans(a, start, finish, p)",
     "list_transform([{'a': a, 'start': start, 'finish': finish, 'p': p}], "
     "lambda g: _vs_filled(g.a, g.start, g.finish, g.p))[1]"),
    ("_vs_filled(a, start, finish, p)",
     "CASE WHEN a IS NOT NULL THEN list_concat(list_filter([{'s': p.last_s, 't0': start, "
     "'t1': a.first_t}], lambda x: x.s <> a.spans[1].s AND start < a.first_t), "
     "list_transform(a.spans, lambda x, i: {'s': x.s, 't0': CASE WHEN i = 1 AND x.s = p.last_s "
     "THEN least(start, x.t0) ELSE x.t0 END, 't1': CASE WHEN i = len(a.spans) "
     "THEN greatest(finish, x.t1) ELSE x.t1 END})) END"),
    ("_vs_interpolated_state_timeline(a, start, width, p)",
     "_vs_timeline(_vs_filled_spans(a, start, start + width, p))"),
    ("_vs_interpolated_state_periods(a, state, start, width, p)",
     "_vs_periods(_vs_filled_spans(a, start, start + width, p), state)"),
    ("_vs_into_values(a)", "list_transform([a.spans], lambda g: _vs_totals(g))[1]"),
    ("_vs_totals(spans)",
     "list_transform(list_sort(list_distinct(list_transform(spans, lambda x: x.s))), "
     "lambda y: {'state': y, 'duration': to_microseconds(CAST(list_sum(list_transform("
     "list_filter(spans, lambda x: x.s = y), lambda x: epoch_us(x.t1) - epoch_us(x.t0))) "
     "AS BIGINT))})"),
    ("_vs_live_ranges(h)", "list_transform(h.ranges, lambda x: {'start': x.s, 'end': x.e})"),
    ("_vs_dead_ranges(h)", "list_transform([h], lambda g: _vs_dead(g))[1]"),
    ("_vs_dead(h)",
     "list_filter(list_transform(range(0, len(h.ranges) + 1), lambda i: {'start': CASE WHEN i = 0 "
     "THEN h.start ELSE h.ranges[i].e END, 'end': CASE WHEN i = len(h.ranges) THEN h.finish "
     "ELSE h.ranges[i + 1].s END}), lambda x: x.start < x.\"end\")"),
    ("_vs_interpolate(h, p)",
     "CASE WHEN p.last + p.life > h.start THEN _vs_carried(h, least(p.last + p.life, h.finish)) "
     "ELSE h END"),
    ("_vs_carried(h, alive)",
     "{'start': h.start, 'finish': h.finish, 'last': h.last, 'life': h.life, 'ranges': list_concat("
     "list_filter([{'s': h.start, 'e': alive}], lambda x: h.ranges[1].s > alive), "
     "list_transform(h.ranges, lambda x, i: {'s': CASE WHEN i = 1 AND x.s <= alive THEN h.start "
     "ELSE x.s END, 'e': CASE WHEN i = 1 AND x.s <= alive THEN greatest(x.e, alive) "
     "ELSE x.e END}))}"),
    ("_vs_trim_to(h, start, width)",
     "_vs_trimmed(h, coalesce(start, h.start), CASE WHEN width IS NULL THEN h.finish "
     "ELSE coalesce(start, h.start) + width END)"),
    ("_vs_trimmed(h, low, high)",
     "CASE WHEN low < h.start OR high > h.finish THEN CASE WHEN _vs_fail('22023', "
     "'the aggregate covers ' || h.start || ' to ' || h.finish || ' only') = '' THEN h END "
     "WHEN h IS NOT NULL THEN {'start': low, 'finish': high, 'last': least(h.last, high), "
     "'life': h.life, 'ranges': "
     "list_filter(list_transform(h.ranges, lambda x: {'s': greatest(x.s, low), "
     "'e': least(x.e, high)}), lambda x: x.s < x.e)} END"),
)  # fmt: skip


def open_stars(select: exp.Select) -> None:
    """Put a column for each field in the place of (state_timeline(summary)).*"""
    shown: list[exp.Expression] = []
    for item in select.expressions:
        star = isinstance(item, exp.Dot) and isinstance(item.expression, exp.Star)
        function = item.this.unnest() if star else item
        if not star or function.name.lower() not in ROWS:
            shown.append(item)
            continue
        for column in ROWS[function.name.lower()]:
            name = exp.to_identifier(column, quoted=True)
            field = exp.Dot(this=exp.Paren(this=function.copy()), expression=name)
            shown.append(exp.Alias(this=field, alias=name.copy()))
    select.set("expressions", shown)
