-- Charge points on transformers: what charging is of their load.

CREATE TABLE charge_point_places (
    charge_point_id     VARCHAR,
    valid_from          TIMESTAMPTZ,
    valid_to            TIMESTAMPTZ,
    transformer_id      VARCHAR NOT NULL,
    PRIMARY KEY (charge_point_id, valid_from)
);

COMMENT ON TABLE charge_point_places IS 'Which transformer feeds each charge point, as it was';
COMMENT ON COLUMN charge_point_places.charge_point_id IS 'The charge point';
COMMENT ON COLUMN charge_point_places.valid_from IS 'From when';
COMMENT ON COLUMN charge_point_places.valid_to IS 'Until when; NULL: still';
COMMENT ON COLUMN charge_point_places.transformer_id IS 'The transformer, as the registry of meters spells it';

CREATE MATERIALIZED VIEW charging_windows AS
SELECT e.window_start, c.transformer_id, SUM(CAST(e.energy_wh AS NUMERIC(18, 3))) / 1000 AS charging_kwh
FROM energy_15min AS e
JOIN charge_point_places AS c
    ON c.charge_point_id = e.charge_point_id AND e.window_start >= c.valid_from
    AND e.window_start < COALESCE(c.valid_to, TIMESTAMPTZ 'infinity')
GROUP BY e.window_start, c.transformer_id;

COMMENT ON MATERIALIZED VIEW charging_windows IS 'Energy charged below each transformer and quarter of an hour';
COMMENT ON COLUMN charging_windows.window_start IS 'Where the window begins';
COMMENT ON COLUMN charging_windows.transformer_id IS 'The transformer';
COMMENT ON COLUMN charging_windows.charging_kwh IS 'Energy to vehicles';

CREATE MATERIALIZED VIEW charging_share AS
SELECT
    c.window_start, c.transformer_id, c.charging_kwh, l.delivered_kwh, l.complete, l.loading_pct,
    100 * c.charging_kwh / NULLIF(l.delivered_kwh, 0) AS charging_pct
FROM charging_windows AS c
LEFT JOIN transformer_load AS l
    ON l.window_start = c.window_start AND l.transformer_id = c.transformer_id AND l.interval_s = 900;

COMMENT ON MATERIALIZED VIEW charging_share IS 'Charging beside all that the transformer''s customers took, charge points among them';
COMMENT ON COLUMN charging_share.window_start IS 'Where the window begins';
COMMENT ON COLUMN charging_share.transformer_id IS 'The transformer';
COMMENT ON COLUMN charging_share.charging_kwh IS 'Energy to vehicles, by the charge points';
COMMENT ON COLUMN charging_share.delivered_kwh IS 'Energy to customers, by their meters; NULL: no read yet';
COMMENT ON COLUMN charging_share.complete IS 'Whether every meter is in it';
COMMENT ON COLUMN charging_share.loading_pct IS 'Of the transformer''s rated power';
COMMENT ON COLUMN charging_share.charging_pct IS 'Charging of what was delivered';
