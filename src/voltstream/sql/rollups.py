"""SQL macros that make one summary of several: ``rollup`` of two-step aggregates.

Law: where summaries are of stretches of time that do not overlap, their rollup is the summary of
all their rows; heartbeats too, since what a stretch leaves alive is counted in the next.
Shape: a macro is given the list of summaries, in the order of time where they have one. What a
macro uses many times it is handed by a lambda over a list of one: else each use would copy it.
"""

from __future__ import annotations

# What tells a summary by its fields, and the macro that rolls it up.
KINDS = (
    ("resets", "_vs_rollup_counter"), ("linear", "_vs_rollup_weight"),
    ("spans", "_vs_rollup_states"), ("ranges", "_vs_rollup_beats"),
    ("values", "_vs_rollup_values"), ("slope", "_vs_rollup_pairs"),
    ("skew", "_vs_rollup_moments"),
)  # fmt: skip
ORDERED = {"resets": "first_t", "linear": "first_t", "spans": "first_t", "ranges": "start"}

_PAIRS = "range(2, len(l) + 1)"
_WHOLE = "list_filter(l, lambda x: x IS NOT NULL)"


def _total(field: str) -> str:
    return f"list_sum(list_transform(l, lambda x: x.{field}))"


def _steps(value: str) -> str:
    """Print the sum of a value over neighbours, the later of which is ``l[i]``."""
    return f"coalesce(list_sum(list_transform({_PAIRS}, lambda i: {value})), 0)"


_FELL = "l[i].first_v < l[i - 1].last_v"
_SECONDS = "CAST(epoch_us(l[i].first_t) - epoch_us(l[i - 1].last_t) AS DOUBLE) / 1000000"
MACROS = (
    ("_vs_rollup_counter(l)", f"list_transform([{_WHOLE}], lambda w: _vs_one_counter(w))[1]"),
    ("_vs_one_counter(l)",
     "CASE WHEN len(l) > 0 THEN {'first_t': l[1].first_t, 'first_v': l[1].first_v, "
     "'second_t': CASE WHEN l[1].n > 1 THEN l[1].second_t ELSE l[2].first_t END, "
     "'second_v': CASE WHEN l[1].n > 1 THEN l[1].second_v ELSE l[2].first_v END, "
     "'penultimate_t': CASE WHEN l[-1].n > 1 THEN l[-1].penultimate_t "
     "ELSE l[len(l) - 1].last_t END, "
     "'penultimate_v': CASE WHEN l[-1].n > 1 THEN l[-1].penultimate_v "
     "ELSE l[len(l) - 1].last_v END, "
     f"'last_t': l[-1].last_t, 'last_v': l[-1].last_v, 'n': CAST({_total('n')} AS BIGINT), "
     f"'resets': CAST(CASE WHEN l[1].lost IS NULL THEN 0 ELSE {_total('resets')} + "
     + _steps(f"CASE WHEN {_FELL} THEN 1 ELSE 0 END")
     + f" END AS BIGINT), 'changes': CAST({_total('changes')} + "
     + _steps("CASE WHEN l[i].first_v <> l[i - 1].last_v THEN 1 ELSE 0 END")
     + f" AS BIGINT), 'lost': CASE WHEN l[1].lost IS NOT NULL THEN {_total('lost')} + "
     + _steps(f"CASE WHEN {_FELL} THEN l[i - 1].last_v ELSE 0 END") + " END} END"),
    ("_vs_rollup_weight(l)", f"list_transform([{_WHOLE}], lambda w: _vs_one_weight(w))[1]"),
    ("_vs_one_weight(l)",
     "CASE WHEN len(l) > 0 THEN {'linear': l[1].linear, 'first_t': l[1].first_t, 'first_v': "
     "l[1].first_v, 'last_t': l[-1].last_t, 'last_v': l[-1].last_v, 'num': "
     f"{_total('num')} + "
     + _steps(f"{_SECONDS} * CASE WHEN l[i].linear THEN (l[i - 1].last_v + l[i].first_v) / 2 "
              "ELSE l[i - 1].last_v END")
     + ", 'den': CAST(epoch_us(l[-1].last_t) - epoch_us(l[1].first_t) AS DOUBLE) / 1000000} END"),
    ("_vs_rollup_states(l)", f"list_transform([{_WHOLE}], lambda w: _vs_one_states(w))[1]"),
    ("_vs_one_states(l)",
     "_vs_states_of(CASE WHEN len(l) > 0 THEN list_append(flatten(list_transform(l, lambda x: "
     "list_transform(x.spans, lambda y: {'t': y.t0, 'v': y.s}))), "
     "{'t': l[-1].last_t, 'v': l[-1].last_s}) END)"),
    ("_vs_rollup_beats(l)", f"list_transform([{_WHOLE}], lambda w: _vs_one_beats(w))[1]"),
    # The last range of a stretch ends with it, however long it was alive: that is put back.
    ("_vs_one_beats(l)",
     "_vs_beats_of(l, flatten(list_transform(l, lambda x: list_transform(x.ranges, lambda y, k: "
     "{'s': y.s, 'e': CASE WHEN k = len(x.ranges) THEN x.last + x.life ELSE y.e END}))))"),
    ("_vs_beats_of(l, r)",
     "_vs_beats_from(l, r, list_filter(range(1, len(r) + 1), lambda i: i = 1 OR "
     "r[i].s > r[i - 1].e))"),
    ("_vs_beats_from(l, r, starts)",
     "CASE WHEN len(l) > 0 THEN {'start': l[1].start, 'finish': l[-1].finish, 'last': l[-1].last, "
     "'life': l[-1].life, 'ranges': list_transform(range(1, len(starts) + 1), lambda k: "
     "{'s': r[starts[k]].s, 'e': least(l[-1].finish, r[coalesce(starts[k + 1], len(r) + 1) - 1].e)"
     "})} END"),
    ("_vs_rollup_values(l)",
     f"_vs_ranked(list_sort(flatten(list_transform({_WHOLE}, lambda x: x.values))))"),
    # Sums of powers about the mean: those of two or three values follow from their variance.
    ("_vs_moments(x)",
     "{'n': CAST(x.n AS DOUBLE), 'm': x.num / x.den, 'm2': x.sdp * x.sdp * x.n, "
     "'m3': CASE WHEN x.n < 3 OR x.sdp = 0 THEN 0 ELSE x.skew * (x.n - 2) / "
     "sqrt(CAST(x.n AS DOUBLE) * (x.n - 1)) * x.sdp * x.sdp * x.sdp * x.n END, "
     "'m4': CASE WHEN x.n < 2 OR x.sdp = 0 THEN 0 WHEN x.n < 4 "
     "THEN x.sdp * x.sdp * x.n * x.sdp * x.sdp * x.n / 2 "
     "ELSE (x.kurt * (x.n - 2) * (x.n - 3) / (x.n - 1) + 3 * (x.n - 1)) / (x.n + 1) "
     "* x.sdp * x.sdp * x.sdp * x.sdp * x.n END}"),
    ("_vs_added(a, b)", "_vs_joined(a, b, a.n + b.n, b.m - a.m)"),
    ("_vs_joined(a, b, n, d)",
     "{'n': n, 'm': a.m + d * b.n / n, 'm2': a.m2 + b.m2 + d * d * a.n * b.n / n, "
     "'m3': a.m3 + b.m3 + d * d * d * a.n * b.n * (a.n - b.n) / (n * n) "
     "+ 3 * d * (a.n * b.m2 - b.n * a.m2) / n, "
     "'m4': a.m4 + b.m4 + d * d * d * d * a.n * b.n * (a.n * a.n - a.n * b.n + b.n * b.n) "
     "/ (n * n * n) + 6 * d * d * (a.n * a.n * b.m2 + b.n * b.n * a.m2) / (n * n) "
     "+ 4 * d * (a.n * b.m3 - b.n * a.m3) / n}"),
    ("_vs_rollup_moments(l)",
     "list_transform([list_filter(l, lambda x: x IS NOT NULL AND x.n > 0)], "
     "lambda w: _vs_one_moments(w))[1]"),
    ("_vs_one_moments(l)",
     "CASE WHEN len(l) > 0 THEN list_transform([list_reduce(list_transform(l, lambda x: "
     "_vs_moments(x)), lambda a, b: _vs_added(a, b))], lambda t: "
     f"_vs_statistics_of(t, {_total('num')}))[1] END"),
    ("_vs_statistics_of(t, total)",
     "{'n': CAST(t.n AS BIGINT), 'num': total, 'den': t.n, "
     "'sd': CASE WHEN t.n > 1 THEN sqrt(t.m2 / (t.n - 1)) END, 'sdp': sqrt(t.m2 / t.n), "
     "'skew': CASE WHEN t.n > 2 AND t.m2 > 0 THEN sqrt(t.n * (t.n - 1)) / (t.n - 2) * t.m3 / t.n "
     "/ pow(t.m2 / t.n, 1.5) END, "
     "'kurt': CASE WHEN t.n > 3 AND t.m2 > 0 THEN (t.n - 1) / ((t.n - 2) * (t.n - 3)) * "
     "((t.n + 1) * t.m4 * t.n / (t.m2 * t.m2) - 3 * (t.n - 1)) END}"),
    # The products about both means: those of the parts, and what the parts' means are apart.
    ("_vs_rollup_pairs(l)",
     "list_transform([list_filter(l, lambda x: x IS NOT NULL AND x.n > 0)], "
     "lambda w: _vs_one_pair(w))[1]"),
    ("_vs_one_pair(l)",
     "list_transform([{'l': l, 'y': _vs_one_moments(l), 'x': _vs_one_moments(list_transform(l, "
     "lambda e: e.x))}], lambda w: _vs_pair_about(w.l, w.y, w.x))[1]"),
    ("_vs_pair_about(l, y, x)",
     "list_transform([list_sum(list_transform(l, lambda e: e.covp * e.n + e.n * (e.num / e.den - "
     "y.num / y.den) * (e.mean_x - x.num / x.den)))], lambda c: _vs_pair_of(y, x, c))[1]"),
    ("_vs_pair_of(y, x, c)",
     "CASE WHEN y IS NOT NULL THEN {'n': y.n, 'num': y.num, 'den': y.den, 'sd': y.sd, "
     "'sdp': y.sdp, 'skew': y.skew, 'kurt': y.kurt, "
     "'slope': c / nullif(x.sdp * x.sdp * x.n, 0), "
     "'intercept': y.num / y.den - c / nullif(x.sdp * x.sdp * x.n, 0) * x.num / x.den, "
     "'corr': c / nullif(x.sdp * y.sdp * x.n, 0), "
     "'r2': CASE WHEN x.sdp = 0 THEN NULL WHEN y.sdp = 0 THEN 1 ELSE "
     "pow(c / (x.sdp * y.sdp * x.n), 2) END, 'covs': c / nullif(y.n - 1, 0), 'covp': c / y.n, "
     "'mean_x': x.num / x.den, 'x': x} END"),
)  # fmt: skip
