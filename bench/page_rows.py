"""SQL that fills the packs with a fleet and a grid to look at: chargers that charge, meters that
read, a feeder without power, a street whose voltage sags.
"""

from __future__ import annotations

from collections.abc import Iterator

METERS_PER_TRANSFORMER = 32
TRANSFORMERS_PER_FEEDER = 24
_STATES = ("Available", "Available", "Charging", "Charging", "Finishing", "SuspendedEV", "Faulted")


def fleet(chargers: int, samples: int) -> Iterator[str]:
    """Yield statements: two connectors each; three of seven in a session with that many samples."""
    every = f"generate_series(1, {chargers}) AS n"
    name = "'CP-' || lpad(n::VARCHAR, 5, '0')"
    states = "[" + ", ".join(f"'{state}'" for state in _STATES) + "]"
    yield (
        "INSERT INTO charge_points (charge_point_id, site, registered_at) "
        f"SELECT {name}, 'site ' || lpad((n % 60)::VARCHAR, 2, '0'), now() - INTERVAL '30 days' "
        f"FROM {every}"
    )
    yield (
        "INSERT INTO charger_boots (charge_point_id, vendor, model, firmware_version, ocpp_version,"
        f" event_ts, received_ts) SELECT {name}, ['Volta', 'Ampere', 'Ohm'][n % 3 + 1],"
        " 'M' || n % 5, '1.' || n % 9, ['1.6', '1.6', '2.0.1', '2.1'][n % 4 + 1],"
        f" now() - INTERVAL '20 hours', now() - INTERVAL '20 hours' FROM {every}"
    )
    yield (
        "INSERT INTO charger_heartbeats SELECT "
        f"{name}, now(), CASE WHEN n % 50 = 0 THEN now() - INTERVAL '3 hours' ELSE now() END"
        f" FROM {every}"
    )
    for hours, shift in ((18, 3), (9, 5), (1, 0)):
        yield (
            "INSERT INTO charger_status (charge_point_id, evse_id, connector_id, status,"
            " error_code, event_ts, received_ts)"
            f" SELECT {name}, k, k, {states}[(n + k + {shift}) % {len(_STATES)} + 1],"
            f" CASE WHEN (n + k + {shift}) % {len(_STATES)} = 6 THEN 'GroundFailure' END,"
            f" now() - INTERVAL '{hours} hours', now() - INTERVAL '{hours} hours'"
            f" FROM {every} CROSS JOIN generate_series(1, 2) AS c(k)"
        )
    power = "(3600.0 + 400.0 * (n % 18))"
    # Three of seven charge; two have ended, of which some are billed more than their meter moved.
    false = "CASE WHEN n % 11 = 0 THEN 1.06 WHEN n % 5 = 0 THEN 1.015 ELSE 1.0 END"
    running = (f"{every} WHERE n % 7 < 3", "T-", 1)
    ended = (f"{every} WHERE n % 7 IN (3, 4)", "E-", 3)
    for chosen, prefix, hours in (running, ended):
        kinds = [("START", "n * 1000", hours)]
        if chosen == ended[0]:
            kinds.append(("STOP", f"n * 1000 + ({power} * {false})::BIGINT", hours - 1))
        for kind, register, before in kinds:
            yield (
                "INSERT INTO charger_transactions (charge_point_id, evse_id, connector_id,"
                " transaction_id, event_type, id_tag, meter_wh, stop_reason, event_ts, received_ts)"
                f" SELECT {name}, 1, 1, '{prefix}' || n, '{kind}', 'TAG' || n % 500, {register},"
                f" CASE WHEN '{kind}' = 'STOP' THEN 'EVDisconnected' END,"
                f" now() - INTERVAL '{before} hours', now() - INTERVAL '{before} hours'"
                f" FROM {chosen}"
            )
        condition = chosen.partition(" WHERE ")[2]
        step_s = 3_600 // max(1, samples)
        yield (
            "INSERT INTO charger_readings (charge_point_id, evse_id, connector_id, transaction_id,"
            " measurand, context, location, value, unit, value_si, unit_si, event_ts, received_ts)"
            f" SELECT {name}, 1, 1, '{prefix}' || n, m.name, 'Sample.Periodic', 'Outlet', m.value,"
            f" m.unit, m.value, m.unit, now() - INTERVAL '{hours} hours'"
            f" + s * INTERVAL '{step_s} seconds', now()"
            f" FROM generate_series(1, {chargers}) AS a(n) CROSS JOIN generate_series(1, {samples})"
            f" AS b(s) CROSS JOIN LATERAL (VALUES ('Power.Active.Import', 'W', {power}),"
            " ('Energy.Active.Import.Register', 'Wh',"
            f" n * 1000.0 + {power} * s * {step_s} / 3600.0),"
            " ('SoC', 'Percent', least(99.0, 20.0 + n % 50 + s))) AS m(name, unit, value)"
            f" WHERE {condition}"
        )


def grid(meters: int, hours: int) -> Iterator[str]:
    """Yield statements: meters below transformers below feeders, with a read for each hour."""
    transformers = -(-meters // METERS_PER_TRANSFORMER)
    place = f"(m / {METERS_PER_TRANSFORMER})"
    # Feeders leave a station like spokes, and transformers stand along them.
    along = f"(t % {TRANSFORMERS_PER_FEEDER} + 1) * 0.0045"
    turn = f"(t / {TRANSFORMERS_PER_FEEDER}) * 2.399963"
    yield (
        "INSERT INTO ami.transformers (transformer_id, valid_from, feeder_id, kva, lon, lat)"
        f" SELECT 'TR-' || lpad(t::VARCHAR, 4, '0'), now() - INTERVAL '30 days',"
        f" 'F-' || lpad((t / {TRANSFORMERS_PER_FEEDER})::VARCHAR, 2, '0'),"
        " [100.0, 160.0, 250.0, 400.0][t % 4 + 1],"
        f" 11.57 + 1.48 * {along} * cos({turn} + 0.15 * sin(t * 0.7)),"
        f" 48.14 + {along} * sin({turn} + 0.15 * sin(t * 0.7))"
        f" FROM generate_series(0, {transformers - 1}) AS n(t)"
    )
    yield (
        "INSERT INTO ami.meter_registry (meter_id, valid_from, transformer_id, nominal_v,"
        " interval_s, head_end, lon, lat) SELECT 'M-' || lpad(m::VARCHAR, 6, '0'),"
        " now() - INTERVAL '30 days', t.transformer_id, 230, 3600, 'IEC',"
        f" t.lon + 0.002 * cos(m % {METERS_PER_TRANSFORMER}),"
        f" t.lat + 0.002 * sin(m % {METERS_PER_TRANSFORMER})"
        f" FROM generate_series(0, {meters - 1}) AS n(m) JOIN ami.transformers AS t"
        f" ON t.transformer_id = 'TR-' || lpad({place}::VARCHAR, 4, '0')"
    )
    start = "date_trunc('hour', now())"
    swing = f"sin((h + {place} % 5) * 0.5)"
    yield (
        "INSERT INTO ami.interval_reads (meter_id, interval_start, interval_end, delivered_kwh,"
        " received_kwh, voltage_v, quality, head_end, received_at)"
        " SELECT 'M-' || lpad(m::VARCHAR, 6, '0'),"
        f" {start} - (h + 1) * INTERVAL '1 hour', {start} - h * INTERVAL '1 hour',"
        f" round((2.2 + 1.6 * {swing} + m % 7 * 0.25"
        f" + CASE WHEN {place} % 37 = 3 THEN 3 ELSE 0 END)::NUMERIC, 3), 0,"
        f" round((231 + 6 * {swing} - m % {METERS_PER_TRANSFORMER} * 0.2"
        f" - CASE WHEN {place} % 53 = 7 THEN 22 ELSE 0 END)::NUMERIC, 1), 'ACTUAL', 'IEC',"
        f" {start} - h * INTERVAL '1 hour'"
        f" FROM generate_series(0, {meters - 1}) AS n(m)"
        f" CROSS JOIN generate_series(0, {hours - 1}) AS b(h)"
    )
    dark = f"m / {METERS_PER_TRANSFORMER * TRANSFORMERS_PER_FEEDER} = 1"
    yield (
        "INSERT INTO ami.meter_events (meter_id, head_end, raw_code, type_code, occurred_at,"
        " received_at) SELECT 'M-' || lpad(m::VARCHAR, 6, '0'), 'IEC', '3.26.0.85', '3.26.0.85',"
        " now() - INTERVAL '25 minutes' + (m % 20) * INTERVAL '1 second',"
        f" now() - INTERVAL '24 minutes' FROM generate_series(0, {meters - 1}) AS n(m)"
        f" WHERE (({dark}) OR m / {METERS_PER_TRANSFORMER} = 5) AND m % 5 < 3"
    )
