"""SQL macros of the two-step aggregates: what a summary is, and what is asked of it.

Shape: an aggregate gathers its rows as a list in the order of time, and a macro makes a small
struct of it; accessors read the struct, and interpolated forms those of the neighbours too.
Source: the names and results of TimescaleDB Toolkit.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from voltstream.sql import rollups, timelines

_STEPS = "range(2, len(l) + 1)"
_WHOLE = "list_filter(l, lambda x: x.t IS NOT NULL AND x.v IS NOT NULL)"


def _us(later: str, earlier: str) -> str:
    return f"CAST(epoch_us({later}) - epoch_us({earlier}) AS DOUBLE)"


def _line(at: str, t0: str, v0: str, t1: str, v1: str) -> str:
    """Print the value at an instant of the line between two points."""
    return f"({v0}) + (({v1}) - ({v0})) * {_us(at, t0)} / {_us(t1, t0)}"


_COUNTERS = (
    ("_vs_counter_agg(l)", f"_vs_counter_of({_WHOLE})"),
    ("_vs_counter_of(l)",
     "CASE WHEN len(l) > 0 THEN {'first_t': l[1].t, 'first_v': l[1].v, 'second_t': l[2].t, "
     "'second_v': l[2].v, 'penultimate_t': l[len(l) - 1].t, 'penultimate_v': l[len(l) - 1].v, "
     "'last_t': l[-1].t, 'last_v': l[-1].v, 'n': len(l), "
     f"'resets': len(list_filter({_STEPS}, lambda i: l[i].v < l[i - 1].v)), "
     f"'changes': len(list_filter({_STEPS}, lambda i: l[i].v <> l[i - 1].v)), "
     f"'lost': coalesce(list_sum(list_transform({_STEPS}, lambda i: CASE WHEN "
     "l[i].v < l[i - 1].v THEN l[i - 1].v ELSE 0 END)), 0)} END"),
    ("_vs_gauge_agg(l)",
     "_vs_gauge_of(_vs_counter_agg(l))"),
    ("_vs_gauge_of(c)",
     "CASE WHEN c IS NOT NULL THEN {'first_t': c.first_t, 'first_v': c.first_v, 'second_t': "
     "c.second_t, 'second_v': c.second_v, 'penultimate_t': c.penultimate_t, 'penultimate_v': "
     "c.penultimate_v, 'last_t': c.last_t, 'last_v': c.last_v, 'n': c.n, 'resets': 0::BIGINT, "
     "'changes': c.changes, 'lost': NULL::DOUBLE} END"),  # NULL: it may fall.
    ("_vs_delta(c)", "c.last_v + coalesce(c.lost, 0) - c.first_v"),
    ("_vs_time_delta(c)", f"{_us('c.last_t', 'c.first_t')} / 1000000"),
    ("_vs_rate(c)", "_vs_delta(c) / nullif(_vs_time_delta(c), 0)"),
    ("_vs_num_resets(c)", "c.resets"),
    ("_vs_num_changes(c)", "c.changes"),
    ("_vs_num_elements(c)", "c.n"),
    ("_vs_first_val(c)", "c.first_v"),
    ("_vs_last_val(c)", "c.last_v"),
    ("_vs_first_time(c)", "c.first_t"),
    ("_vs_last_time(c)", "c.last_t"),
    ("_vs_idelta_left(c)",
     "CASE WHEN c.n > 1 THEN c.second_v - CASE WHEN c.second_v < c.first_v AND c.lost IS NOT NULL "
     "THEN 0 ELSE c.first_v END ELSE 0 END"),
    ("_vs_idelta_right(c)",
     "CASE WHEN c.n > 1 THEN c.last_v - CASE WHEN c.last_v < c.penultimate_v AND c.lost IS NOT "
     "NULL THEN 0 ELSE c.penultimate_v END ELSE 0 END"),
    ("_vs_irate_left(c)",
     f"_vs_idelta_left(c) / nullif({_us('c.second_t', 'c.first_t')} / 1000000, 0)"),
    ("_vs_irate_right(c)",
     f"_vs_idelta_right(c) / nullif({_us('c.last_t', 'c.penultimate_t')} / 1000000, 0)"),
    # A counter that starts again below the neighbour's value went on from it.
    ("_vs_counter_start(c, start, p)",
     "CASE WHEN p IS NOT NULL AND c.first_t > start AND p.last_t < start THEN "
     + _line("start", "p.last_t", "p.last_v", "c.first_t",
             "c.first_v + CASE WHEN p.last_v > c.first_v AND c.lost IS NOT NULL THEN p.last_v "
             "ELSE 0 END") + " END"),
    ("_vs_counter_end(c, finish, n)",
     "CASE WHEN n IS NOT NULL AND c.last_t < finish AND n.first_t >= finish THEN "
     + _line("finish", "c.last_t", "c.last_v", "n.first_t",
             "n.first_v + CASE WHEN c.last_v > n.first_v AND c.lost IS NOT NULL THEN c.last_v "
             "ELSE 0 END") + " END"),
    ("_vs_delta_between(c, low, high)",
     "coalesce(high, c.last_v) + coalesce(c.lost, 0) + CASE WHEN low > c.first_v AND c.lost IS "
     "NOT NULL THEN low ELSE 0 END - coalesce(low, c.first_v)"),
    ("_vs_interpolated_delta(c, start, width, p, n)",
     "_vs_delta_between(c, _vs_counter_start(c, start, p), _vs_counter_end(c, start + width, n))"),
    ("_vs_interpolated_rate(c, start, width, p, n)",
     "_vs_interpolated_delta(c, start, width, p, n) / nullif((CASE WHEN "
     "_vs_counter_end(c, start + width, n) IS NOT NULL THEN epoch_us(start + width) ELSE "
     "epoch_us(c.last_t) END - CASE WHEN _vs_counter_start(c, start, p) IS NOT NULL THEN "
     "epoch_us(start) ELSE epoch_us(c.first_t) END) / 1000000.0::DOUBLE, 0)"),
)  # fmt: skip
_LOCF_AREA = f"l[i - 1].v * {_us('l[i].t', 'l[i - 1].t')} / 1000000"
_LINE_AREA = f"(l[i].v + l[i - 1].v) / 2 * {_us('l[i].t', 'l[i - 1].t')} / 1000000"
_WEIGHTS = (
    ("_vs_weighted(m, l)",
     "CASE WHEN len(l) > 0 THEN {'linear': m IN ('linear', 'trapezoidal'), 'first_t': l[1].t, "
     "'first_v': l[1].v, 'last_t': l[-1].t, 'last_v': l[-1].v, 'num': coalesce(CASE WHEN m IN "
     f"('linear', 'trapezoidal') THEN list_sum(list_transform({_STEPS}, lambda i: {_LINE_AREA})) "
     f"ELSE list_sum(list_transform({_STEPS}, lambda i: {_LOCF_AREA})) END, 0), "
     f"'den': {_us('l[-1].t', 'l[1].t')} / 1000000}} END"),
    ("_vs_time_weight(m, l)",
     f"_vs_weighted(CASE WHEN lower(m) IN ('locf', 'linear', 'last', 'trapezoidal') THEN lower(m) "
     "ELSE _vs_fail('22023', 'unknown interpolation method: \"' || m || '\"') END, "
     f"{_WHOLE})"),
    ("_vs_average(x)", "x.num / nullif(x.den, 0)"),
    ("_vs_unit_s(u)",
     "CASE lower(u) WHEN 'microsecond' THEN 0.000001 WHEN 'millisecond' THEN 0.001 WHEN 'second' "
     "THEN 1 WHEN 'minute' THEN 60 WHEN 'hour' THEN 3600 WHEN 'day' THEN 86400 ELSE "
     "_vs_fail('22023', 'unknown unit: \"' || u || '\"')::DOUBLE END::DOUBLE"),
    ("_vs_integral(x, u)", "x.num / _vs_unit_s(u)"),
    # The parts before the first row and after the last one, as far as the neighbours tell.
    ("_vs_before(w, start, p)",
     "CASE WHEN p IS NOT NULL AND w.first_t > start AND p.last_t <= start THEN "
     f"{{'s': {_us('w.first_t', 'start')} / 1000000, 'v': CASE WHEN w.linear THEN (w.first_v + "
     + _line("start", "p.last_t", "p.last_v", "w.first_t", "w.first_v")
     + ") / 2 ELSE p.last_v END} END"),
    ("_vs_after(w, finish, n)",
     "CASE WHEN w.last_t < finish AND (NOT w.linear OR n.first_t >= finish) THEN "
     f"{{'s': {_us('finish', 'w.last_t')} / 1000000, 'v': CASE WHEN w.linear THEN (w.last_v + "
     + _line("finish", "w.last_t", "w.last_v", "n.first_t", "n.first_v")
     + ") / 2 ELSE w.last_v END} END"),
    ("_vs_area(w, a, b)", "w.num + coalesce(a.s * a.v, 0) + coalesce(b.s * b.v, 0)"),
    ("_vs_interpolated_integral(w, start, width, p, n, u)",
     "_vs_area(w, _vs_before(w, start, p), _vs_after(w, start + width, n)) / _vs_unit_s(u)"),
    ("_vs_interpolated_average(w, start, width, p, n)",
     "_vs_area(w, _vs_before(w, start, p), _vs_after(w, start + width, n)) / "
     "nullif(w.den + coalesce(_vs_before(w, start, p).s, 0) + "
     "coalesce(_vs_after(w, start + width, n).s, 0), 0)"),
)  # fmt: skip
_STATES = (
    ("_vs_state_agg(l)", f"_vs_states_of({_WHOLE})"),
    ("_vs_states_of(l)",
     "_vs_state_spans(l, list_filter(range(1, len(l) + 1), lambda i: i = 1 OR "
     "l[i].v <> l[i - 1].v))"),
    ("_vs_state_spans(l, starts)",
     "CASE WHEN len(l) > 0 THEN {'first_t': l[1].t, 'last_t': l[-1].t, 'last_s': l[-1].v, 'spans': "
     "list_transform(range(1, len(starts) + 1), lambda k: {'s': l[starts[k]].v, "
     "'t0': l[starts[k]].t, 't1': coalesce(l[starts[k + 1]].t, l[-1].t)})} END"),
    ("_vs_duration_us(a, state, low, high)",
     "coalesce(list_sum(list_transform(a.spans, lambda x: CASE WHEN x.s = state THEN greatest(0, "
     "epoch_us(least(x.t1, high)) - epoch_us(greatest(x.t0, low))) ELSE 0 END)), 0)"),
    ("_vs_total_duration_in(a, state)",
     "CASE WHEN a IS NOT NULL THEN to_microseconds(CAST(coalesce(list_sum(list_transform(a.spans, "
     "lambda x: CASE WHEN x.s = state THEN epoch_us(x.t1) - epoch_us(x.t0) ELSE 0 END)), 0) AS "
     "BIGINT)) END"),
    ("_vs_duration_in(a, state, start, width)",
     "CASE WHEN a IS NOT NULL THEN to_microseconds(CAST(_vs_duration_us(a, state, start, "
     "start + width) AS BIGINT)) END"),
    ("_vs_interpolated_duration_in(a, state, start, width, p)",
     "CASE WHEN a IS NOT NULL THEN to_microseconds(CAST(_vs_duration_us(a, state, start, start + "
     "width) + CASE WHEN a.last_s = state THEN greatest(0, epoch_us(start + width) - "
     "epoch_us(greatest(a.last_t, start))) ELSE 0 END + CASE WHEN p.last_s = state THEN "
     "greatest(0, epoch_us(a.first_t) - epoch_us(start)) ELSE 0 END AS BIGINT)) END"),
    ("_vs_state_at(a, moment)",
     "CASE WHEN moment = a.last_t THEN a.last_s ELSE list_filter(a.spans, "
     "lambda x: x.t0 <= moment AND moment < x.t1)[1].s END"),
)  # fmt: skip
_HEARTBEATS = (
    ("_vs_heartbeat_agg(l, start, width, life)",
     "_vs_beats(list_filter(l, lambda x: x IS NOT NULL), start, start + width, life)"),
    ("_vs_beats(l, start, finish, life)",
     "_vs_live(l, list_filter(range(1, len(l) + 1), lambda i: i = 1 OR l[i] > l[i - 1] + life), "
     "start, finish, life)"),
    ("_vs_live(l, starts, start, finish, life)",
     "CASE WHEN len(l) > 0 THEN {'start': start, 'finish': finish, 'last': l[-1], 'life': life, "
     "'ranges': list_transform(range(1, len(starts) + 1), lambda k: {'s': l[starts[k]], 'e': "
     "least(finish, l[coalesce(starts[k + 1], len(l) + 1) - 1] + life)})} END"),
    ("_vs_live_us(h)",
     "coalesce(list_sum(list_transform(h.ranges, lambda x: epoch_us(x.e) - epoch_us(x.s))), 0)"),
    # What the neighbour before was still alive in here.
    ("_vs_carried_us(h, p)",
     "CASE WHEN p IS NULL THEN 0 ELSE greatest(0, least(epoch_us(h.ranges[1].s), "
     "epoch_us(p.last + p.life)) - epoch_us(h.start)) END"),
    ("_vs_uptime(h)", "to_microseconds(CAST(_vs_live_us(h) AS BIGINT))"),
    ("_vs_downtime(h)",
     "to_microseconds(CAST(epoch_us(h.finish) - epoch_us(h.start) - _vs_live_us(h) AS BIGINT))"),
    ("_vs_interpolated_uptime(h, p)",
     "to_microseconds(CAST(_vs_live_us(h) + _vs_carried_us(h, p) AS BIGINT))"),
    ("_vs_interpolated_downtime(h, p)",
     "to_microseconds(CAST(epoch_us(h.finish) - epoch_us(h.start) - _vs_live_us(h) - "
     "_vs_carried_us(h, p) AS BIGINT))"),
    ("_vs_num_live_ranges(h)", "len(h.ranges)"),
    ("_vs_num_gaps(h)",
     "len(h.ranges) - 1 + CAST(h.ranges[1].s > h.start AS INTEGER) + "
     "CAST(h.ranges[-1].e < h.finish AS INTEGER)"),
    ("_vs_live_at(h, moment)",
     "len(list_filter(h.ranges, lambda x: x.s <= moment AND moment < x.e)) > 0"),
)  # fmt: skip
_STATISTICS = (
    ("_vs_num_vals(x)", "x.n"),
    ("_vs_stats_stddev(x, m)", "CASE WHEN left(lower(m), 3) = 'pop' THEN x.sdp ELSE x.sd END"),
    ("_vs_stats_variance(x, m)",
     "CASE WHEN left(lower(m), 3) = 'pop' THEN x.sdp * x.sdp ELSE x.sd * x.sd END"),
    ("_vs_summary_corr(x)", "x.corr"),
    ("_vs_x_intercept(x)", "-x.intercept / nullif(x.slope, 0)"),
    ("_vs_covariance(x, m)", "CASE WHEN left(lower(m), 3) = 'pop' THEN x.covp ELSE x.covs END"),
    ("_vs_percentile_of(l)",
     "_vs_ranked(list_filter(l, lambda x: x IS NOT NULL))"),
    ("_vs_ranked(l)",
     "CASE WHEN len(l) > 0 THEN {'n': len(l), 'num': list_sum(l), 'den': CAST(len(l) AS DOUBLE), "
     "'values': l} END"),
    ("_vs_between(l, place)",
     "l[CAST(floor(place) AS BIGINT)] + (l[CAST(ceil(place) AS BIGINT)] - "
     "l[CAST(floor(place) AS BIGINT)]) * (place - floor(place))"),
    ("_vs_percentile(p, x)", "_vs_between(x.values, CAST(p AS DOUBLE) * (x.n - 1) + 1)"),
    ("_vs_percentile_rank(v, x)", "len(list_filter(x.values, lambda y: y <= v)) / x.den"),
    ("_vs_histogram_bin(v, low, high, bins)",
     "CASE WHEN v < low THEN 0 WHEN v >= high THEN bins + 1 ELSE "
     "CAST(floor((v - low) * bins / (high - low)) AS BIGINT) + 1 END"),
    ("_vs_histogram_of(l, bins)",
     "CASE WHEN l IS NOT NULL THEN list_transform(range(0, bins + 2), lambda i: "
     "CAST(len(list_filter(l, lambda x: x = i)) AS INTEGER)) END"),
)  # fmt: skip
# What a zone adds to UTC at an instant, in microseconds.
_OFFSET = "epoch_us(timezone(zone, {x})) - epoch_us({x})"
_BUCKETS = (
    ("_vs_number_bucket(w, x, o)", "x - (((x - o) % w) + w) % w"),
    # A wall clock's time that comes twice means the first; one that is skipped, the instant of
    # the change.
    ("_vs_instant_of(wall, zone)", "_vs_first_instant(wall, zone, timezone(zone, wall))"),
    ("_vs_first_instant(wall, zone, late)",
     "_vs_earlier(wall, zone, late, make_timestamptz(CAST(epoch_us(wall) - ("
     + _OFFSET.format(x="(late - INTERVAL '1 day')") + ") AS BIGINT)))"),
    ("_vs_earlier(wall, zone, late, early)",
     "CASE WHEN early < late AND timezone(zone, early) = wall THEN early ELSE late END"),
    # An hour that comes twice is two buckets; a day is one, from its first midnight.
    ("_vs_zoned_bucket(w, x, zone, wall)",
     "_vs_same_offset(w, x, zone, wall, make_timestamptz(CAST(epoch_us(wall) - ("
     + _OFFSET.format(x="x") + ") AS BIGINT)))"),
    ("_vs_same_offset(w, x, zone, wall, near)",
     "CASE WHEN _vs_span_months(w) = 0 AND _vs_span_days(w) = 0 AND near <= x AND "
     "timezone(zone, near) = wall THEN near ELSE _vs_instant_of(wall, zone) END"),
)  # fmt: skip


def _in_order(families: Sequence[Sequence[tuple[str, str]]]) -> list[tuple[str, str]]:
    """Return macros after those they call: the store binds a macro when it is made."""
    waiting = {head.partition("(")[0]: (head, body) for family in families for head, body in family}
    made: list[tuple[str, str]] = []
    while waiting:
        for name, (head, body) in list(waiting.items()):
            called = set(_CALLED.findall(body)) & waiting.keys() - {name}
            if not called:
                made.append((head, body))
                del waiting[name]
    return made


_FAMILIES = (_COUNTERS, _WEIGHTS, _STATES, _HEARTBEATS, _STATISTICS, _BUCKETS)
_CALLED = re.compile(r"_vs_\w+")
MACROS = tuple(
    f"CREATE OR REPLACE MACRO main.{head} AS {body}"
    for head, body in _in_order((*_FAMILIES, rollups.MACROS, timelines.MACROS))
)
