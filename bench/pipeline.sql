-- Charging stations live: what `make bench` measures. Sources without a connector are pushed to.

CREATE SOURCE heartbeats (
    station VARCHAR, firmware VARCHAR, region VARCHAR, beat_at TIMESTAMPTZ
);
CREATE SOURCE boots (
    station VARCHAR, model VARCHAR, vendor VARCHAR, firmware VARCHAR, iccid VARCHAR,
    imsi VARCHAR, meter_serial VARCHAR, booted_at TIMESTAMPTZ
);
CREATE SOURCE meter_readings (
    station VARCHAR, connector INTEGER, session VARCHAR, measurand VARCHAR,
    value DOUBLE PRECISION, unit VARCHAR, context VARCHAR, phase VARCHAR, sampled_at TIMESTAMPTZ
);
CREATE SOURCE session_events (
    event VARCHAR, session VARCHAR, station VARCHAR, connector INTEGER, tag VARCHAR,
    begin_wh BIGINT, end_wh BIGINT, reason VARCHAR, event_at TIMESTAMPTZ
);

CREATE MATERIALIZED VIEW last_heartbeat AS
SELECT DISTINCT ON (station) station, beat_at,
       EXTRACT(EPOCH FROM (NOW() - beat_at)) / 60.0 AS silent_minutes
FROM heartbeats
ORDER BY station, beat_at DESC;

CREATE MATERIALIZED VIEW registry AS
SELECT DISTINCT ON (station) station, model, vendor, firmware, booted_at
FROM boots
ORDER BY station, booted_at DESC;

CREATE MATERIALIZED VIEW active_session_energy AS
SELECT DISTINCT ON (session) station, connector, session, value AS energy_kwh, sampled_at
FROM meter_readings
WHERE measurand = 'Energy.Active.Import.Register' AND context = 'Sample.Periodic'
ORDER BY session, sampled_at DESC;

CREATE MATERIALIZED VIEW active_session_power AS
SELECT DISTINCT ON (session) station, connector, session, value / 1000.0 AS power_kw, sampled_at
FROM meter_readings
WHERE measurand = 'Power.Active.Import' AND context = 'Sample.Periodic'
ORDER BY session, sampled_at DESC;

CREATE MATERIALIZED VIEW session_lifecycle AS
SELECT b.session, b.station, b.connector, b.tag, b.begin_wh, b.event_at AS begun_at,
       e.end_wh, e.event_at AS ended_at, (e.end_wh - b.begin_wh) / 1000.0 AS energy_kwh, e.reason
FROM (SELECT * FROM session_events WHERE event = 'START') AS b
LEFT JOIN (SELECT * FROM session_events WHERE event = 'STOP') AS e ON b.session = e.session;

CREATE MATERIALIZED VIEW metering_aggregates_15min AS
SELECT station, connector, window_start, window_end, MAX(value) - MIN(value) AS energy_kwh,
       AVG(value) AS mean_register, COUNT(*) AS readings
FROM TUMBLE(
    (SELECT * FROM meter_readings WHERE measurand = 'Energy.Active.Import.Register'),
    sampled_at, INTERVAL '15 MINUTES'
)
GROUP BY station, connector, window_start, window_end;

CREATE MATERIALIZED VIEW offline_alerts AS
SELECT h.station, h.beat_at, h.silent_minutes, r.model, r.firmware, NOW() AS alert_at
FROM last_heartbeat AS h
JOIN registry AS r ON h.station = r.station
WHERE h.silent_minutes > 5;

CREATE MATERIALIZED VIEW gap_alerts AS
SELECT station, connector, window_start, window_end, readings, NOW() AS alert_at
FROM metering_aggregates_15min
WHERE readings < 3;
