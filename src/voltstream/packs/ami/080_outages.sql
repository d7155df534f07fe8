-- From meters that are out to what is out: meters of a transformer, transformers of a section or
-- feeder. A group is known by its device and by the time its first meter went out.

CREATE MATERIALIZED VIEW grouped_meters AS
SELECT
    transformer_id, meter_id, out_at, received_at, head_end, restored_at,
    MAX(begins_at) OVER (PARTITION BY transformer_id ORDER BY out_at, meter_id) AS group_at
FROM (
    SELECT
        o.transformer_id, o.meter_id, o.out_at, o.received_at, o.head_end, o.restored_at,
        CASE WHEN LAG(o.out_at) OVER (PARTITION BY o.transformer_id ORDER BY o.out_at, o.meter_id)
            >= o.out_at - p.outage_window THEN NULL ELSE o.out_at END AS begins_at
    FROM meter_outages AS o
    CROSS JOIN ami_parameters AS p
    WHERE o.transformer_id IS NOT NULL
) AS marked;

COMMENT ON MATERIALIZED VIEW grouped_meters IS 'Meters that are or were out, by the transformer''s group they belong to';
COMMENT ON COLUMN grouped_meters.transformer_id IS 'The transformer';
COMMENT ON COLUMN grouped_meters.meter_id IS 'The meter';
COMMENT ON COLUMN grouped_meters.out_at IS 'When it went out';
COMMENT ON COLUMN grouped_meters.received_at IS 'When that was first known';
COMMENT ON COLUMN grouped_meters.head_end IS 'Its head-end';
COMMENT ON COLUMN grouped_meters.restored_at IS 'When supply was back';
COMMENT ON COLUMN grouped_meters.group_at IS 'When the first of the group went out';

-- Meters of all interval lengths, from change to change.
CREATE MATERIALIZED VIEW transformer_meters AS
SELECT
    transformer_id, changed_at AS valid_from,
    COALESCE(LEAD(changed_at) OVER (PARTITION BY transformer_id ORDER BY changed_at), TIMESTAMPTZ 'infinity') AS valid_to,
    (SUM(meters) OVER (PARTITION BY transformer_id ORDER BY changed_at))::BIGINT AS meters,
    (SUM(gaspers) OVER (PARTITION BY transformer_id ORDER BY changed_at))::BIGINT AS gaspers
FROM (
    SELECT transformer_id, changed_at, SUM(meters) AS meters, SUM(gaspers) AS gaspers
    FROM (
        SELECT transformer_id, valid_from AS changed_at, 1 AS meters, CASE WHEN can_gasp THEN 1 ELSE 0 END AS gaspers
        FROM meter_registry
        WHERE state IN ('active', 'comm_exempt') AND measures = 'customer' AND transformer_id IS NOT NULL
        UNION ALL
        SELECT transformer_id, valid_to AS changed_at, -1 AS meters, CASE WHEN can_gasp THEN -1 ELSE 0 END AS gaspers
        FROM meter_registry
        WHERE state IN ('active', 'comm_exempt') AND measures = 'customer' AND transformer_id IS NOT NULL
            AND valid_to IS NOT NULL
    ) AS changes
    GROUP BY transformer_id, changed_at
) AS summed;

COMMENT ON MATERIALIZED VIEW transformer_meters IS 'Supplied customers'' meters of each transformer, from change to change';
COMMENT ON COLUMN transformer_meters.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_meters.valid_from IS 'From when';
COMMENT ON COLUMN transformer_meters.valid_to IS 'Until when; infinity: still';
COMMENT ON COLUMN transformer_meters.meters IS 'How many meters with supply';
COMMENT ON COLUMN transformer_meters.gaspers IS 'How many of them can tell of a lost supply';

CREATE MATERIALIZED VIEW transformer_groups AS
SELECT
    g.transformer_id, g.group_at, t.feeder_id, t.section_id, g.heard, g.restored, g.known_at,
    n.meters, n.gaspers,
    CASE WHEN n.meters = 1 THEN 'SERVICE'
        WHEN g.heard >= 3 OR (g.heard >= 2 AND g.heard >= p.transformer_share * n.gaspers) THEN 'TRANSFORMER'
        ELSE 'SERVICE' END AS kind
FROM (
    SELECT transformer_id, group_at, COUNT(*) AS heard, COUNT(restored_at) AS restored,
        MIN(received_at) AS known_at
    FROM grouped_meters
    GROUP BY transformer_id, group_at
) AS g
CROSS JOIN ami_parameters AS p
LEFT JOIN transformer_meters AS n
    ON n.transformer_id = g.transformer_id AND g.group_at >= n.valid_from AND g.group_at < n.valid_to
LEFT JOIN transformers AS t
    ON t.transformer_id = g.transformer_id AND g.group_at >= t.valid_from
    AND g.group_at < COALESCE(t.valid_to, TIMESTAMPTZ 'infinity');

COMMENT ON MATERIALIZED VIEW transformer_groups IS 'Groups of meters of one transformer that went out together';
COMMENT ON COLUMN transformer_groups.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_groups.group_at IS 'When the first went out';
COMMENT ON COLUMN transformer_groups.feeder_id IS 'Its feeder';
COMMENT ON COLUMN transformer_groups.section_id IS 'Its section';
COMMENT ON COLUMN transformer_groups.heard IS 'Meters that told';
COMMENT ON COLUMN transformer_groups.restored IS 'Of these, back';
COMMENT ON COLUMN transformer_groups.known_at IS 'When the first was known';
COMMENT ON COLUMN transformer_groups.meters IS 'Active meters of the transformer';
COMMENT ON COLUMN transformer_groups.gaspers IS 'Of these, such as can tell';
COMMENT ON COLUMN transformer_groups.kind IS 'TRANSFORMER: 3 meters, or 2 that are transformer_share of it; else SERVICE';

-- What is above each transformer, from near to far; the feeder is the farthest.
CREATE MATERIALIZED VIEW transformer_devices AS
SELECT t.transformer_id, t.valid_from, COALESCE(t.valid_to, TIMESTAMPTZ 'infinity') AS valid_to,
    t.feeder_id AS device_id, 'FEEDER' AS kind, 99 AS height,
    t.section_id IS NULL AS is_flat
FROM transformers AS t
WHERE t.feeder_id IS NOT NULL
UNION ALL
SELECT t.transformer_id, t.valid_from, COALESCE(t.valid_to, TIMESTAMPTZ 'infinity') AS valid_to,
    u.device_id, s.kind, u.height, FALSE AS is_flat
FROM transformers AS t
JOIN (
    SELECT a.section_id, a.section_id AS device_id, 1 AS height FROM network_sections AS a
    UNION ALL
    SELECT a.section_id, a.parent_id AS device_id, 2 AS height
    FROM network_sections AS a WHERE a.parent_id IS NOT NULL
    UNION ALL
    SELECT a.section_id, b.parent_id AS device_id, 3 AS height
    FROM network_sections AS a JOIN network_sections AS b ON b.section_id = a.parent_id
    WHERE b.parent_id IS NOT NULL
    UNION ALL
    SELECT a.section_id, c.parent_id AS device_id, 4 AS height
    FROM network_sections AS a JOIN network_sections AS b ON b.section_id = a.parent_id
    JOIN network_sections AS c ON c.section_id = b.parent_id
    WHERE c.parent_id IS NOT NULL
    UNION ALL
    SELECT a.section_id, d.parent_id AS device_id, 5 AS height
    FROM network_sections AS a JOIN network_sections AS b ON b.section_id = a.parent_id
    JOIN network_sections AS c ON c.section_id = b.parent_id
    JOIN network_sections AS d ON d.section_id = c.parent_id
    WHERE d.parent_id IS NOT NULL
    UNION ALL
    SELECT a.section_id, e.parent_id AS device_id, 6 AS height
    FROM network_sections AS a JOIN network_sections AS b ON b.section_id = a.parent_id
    JOIN network_sections AS c ON c.section_id = b.parent_id
    JOIN network_sections AS d ON d.section_id = c.parent_id
    JOIN network_sections AS e ON e.section_id = d.parent_id
    WHERE e.parent_id IS NOT NULL
) AS u ON u.section_id = t.section_id
JOIN network_sections AS s ON s.section_id = u.device_id
WHERE u.device_id IS DISTINCT FROM t.feeder_id;

COMMENT ON MATERIALIZED VIEW transformer_devices IS 'Sections and feeder above each transformer, as it was connected';
COMMENT ON COLUMN transformer_devices.transformer_id IS 'The transformer';
COMMENT ON COLUMN transformer_devices.valid_from IS 'From when';
COMMENT ON COLUMN transformer_devices.valid_to IS 'Until when';
COMMENT ON COLUMN transformer_devices.device_id IS 'A section, or the feeder';
COMMENT ON COLUMN transformer_devices.kind IS 'FEEDER, SECTION or LATERAL';
COMMENT ON COLUMN transformer_devices.height IS '1 is the nearest, 99 the feeder';
COMMENT ON COLUMN transformer_devices.is_flat IS 'Whether the feeder is all that is known above the transformer';

CREATE MATERIALIZED VIEW feeder_groups AS
SELECT
    transformer_id, group_at, feeder_id, heard, restored, known_at, meters,
    MAX(begins_at) OVER (PARTITION BY feeder_id ORDER BY group_at, transformer_id) AS band_at
FROM (
    SELECT
        g.transformer_id, g.group_at, g.feeder_id, g.heard, g.restored, g.known_at, g.meters,
        CASE WHEN LAG(g.group_at) OVER (PARTITION BY g.feeder_id ORDER BY g.group_at, g.transformer_id)
            >= g.group_at - p.device_window THEN NULL ELSE g.group_at END AS begins_at
    FROM transformer_groups AS g
    CROSS JOIN ami_parameters AS p
    WHERE g.feeder_id IS NOT NULL AND (g.kind = 'TRANSFORMER' OR g.meters = 1)
) AS marked;

COMMENT ON MATERIALIZED VIEW feeder_groups IS 'Transformers of one feeder that went out together';
COMMENT ON COLUMN feeder_groups.transformer_id IS 'The transformer';
COMMENT ON COLUMN feeder_groups.group_at IS 'When its first meter went out';
COMMENT ON COLUMN feeder_groups.feeder_id IS 'The feeder';
COMMENT ON COLUMN feeder_groups.heard IS 'Meters that told';
COMMENT ON COLUMN feeder_groups.restored IS 'Of these, back';
COMMENT ON COLUMN feeder_groups.known_at IS 'When the first was known';
COMMENT ON COLUMN feeder_groups.meters IS 'Active meters';
COMMENT ON COLUMN feeder_groups.band_at IS 'When the first transformer of the band went out';

-- A device is out when device_share of the transformers below it are, two at least; a feeder whose
-- sections are not known when 3 are, and feeder_share of it.
-- Where the same transformers make several devices count, the lowest of them is out: what it does
-- not feed has supply.
CREATE MATERIALIZED VIEW devices_out AS
SELECT DISTINCT ON (h.feeder_id, h.band_at, h.members)
    h.feeder_id, h.band_at, h.device_id, h.kind, h.transformers_out, t.transformers
FROM (
    SELECT g.feeder_id, g.band_at, d.device_id, d.kind, d.is_flat, MIN(d.height) AS height,
        COUNT(DISTINCT g.transformer_id) AS transformers_out,
        ARRAY_AGG(DISTINCT g.transformer_id ORDER BY g.transformer_id) AS members
    FROM feeder_groups AS g
    JOIN transformer_devices AS d
        ON d.transformer_id = g.transformer_id AND g.group_at >= d.valid_from AND g.group_at < d.valid_to
    GROUP BY g.feeder_id, g.band_at, d.device_id, d.kind, d.is_flat
) AS h
CROSS JOIN ami_parameters AS p
JOIN (
    SELECT device_id, COUNT(DISTINCT transformer_id) AS transformers
    FROM transformer_devices
    WHERE valid_to = TIMESTAMPTZ 'infinity'
    GROUP BY device_id
) AS t ON t.device_id = h.device_id
WHERE h.transformers_out >= 2 AND (
    h.transformers_out >= p.device_share * t.transformers
    OR (h.is_flat AND h.transformers_out >= 3 AND h.transformers_out >= p.feeder_share * t.transformers))
ORDER BY h.feeder_id, h.band_at, h.members, t.transformers, h.height, h.device_id;

COMMENT ON MATERIALIZED VIEW devices_out IS 'Sections and feeders so many of whose transformers went out together that they are out themselves';
COMMENT ON COLUMN devices_out.feeder_id IS 'The feeder';
COMMENT ON COLUMN devices_out.band_at IS 'When the first transformer of the feeder went out';
COMMENT ON COLUMN devices_out.device_id IS 'The device';
COMMENT ON COLUMN devices_out.kind IS 'FEEDER, SECTION or LATERAL';
COMMENT ON COLUMN devices_out.transformers_out IS 'Transformers below it that went out';
COMMENT ON COLUMN devices_out.transformers IS 'Transformers below it';

-- The farthest device that is out explains a transformer.
CREATE MATERIALIZED VIEW explained_groups AS
SELECT g.transformer_id, g.group_at, g.band_at, MAX(d.height) AS height
FROM feeder_groups AS g
JOIN transformer_devices AS d
    ON d.transformer_id = g.transformer_id AND g.group_at >= d.valid_from AND g.group_at < d.valid_to
JOIN devices_out AS o
    ON o.feeder_id = g.feeder_id AND o.band_at = g.band_at AND o.device_id = d.device_id
GROUP BY g.transformer_id, g.group_at, g.band_at;

COMMENT ON MATERIALIZED VIEW explained_groups IS 'Groups that are part of the outage of a section or feeder';
COMMENT ON COLUMN explained_groups.transformer_id IS 'The transformer';
COMMENT ON COLUMN explained_groups.group_at IS 'When its first meter went out';
COMMENT ON COLUMN explained_groups.band_at IS 'When the first transformer went out';
COMMENT ON COLUMN explained_groups.height IS 'Of the device that explains it';

CREATE MATERIALIZED VIEW group_outages AS
SELECT
    g.transformer_id, g.group_at, g.kind AS group_kind, g.heard, g.restored, g.known_at, g.meters, g.gaspers,
    COALESCE(d.device_id, g.transformer_id) AS device_id,
    COALESCE(d.kind, g.kind) AS kind,
    COALESCE(e.band_at, g.group_at) AS started_at,
    g.transformer_id || '@' || to_char(g.group_at AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS') AS group_id,
    COALESCE(d.device_id, g.transformer_id) || '@'
        || to_char(COALESCE(e.band_at, g.group_at) AT TIME ZONE 'UTC', 'YYYYMMDD"T"HH24MISS') AS outage_id
FROM transformer_groups AS g
LEFT JOIN explained_groups AS e ON e.transformer_id = g.transformer_id AND e.group_at = g.group_at
LEFT JOIN transformer_devices AS d
    ON d.transformer_id = e.transformer_id AND d.height = e.height
    AND e.group_at >= d.valid_from AND e.group_at < d.valid_to;

COMMENT ON MATERIALIZED VIEW group_outages IS 'Groups of a transformer''s meters, each with the outage it is part of';
COMMENT ON COLUMN group_outages.transformer_id IS 'The transformer';
COMMENT ON COLUMN group_outages.group_at IS 'When its first meter went out';
COMMENT ON COLUMN group_outages.group_kind IS 'TRANSFORMER or SERVICE';
COMMENT ON COLUMN group_outages.heard IS 'Meters that told';
COMMENT ON COLUMN group_outages.restored IS 'Of these, back';
COMMENT ON COLUMN group_outages.known_at IS 'When the first was known';
COMMENT ON COLUMN group_outages.meters IS 'Active meters of the transformer';
COMMENT ON COLUMN group_outages.gaspers IS 'Of these, such as can tell';
COMMENT ON COLUMN group_outages.device_id IS 'What is out';
COMMENT ON COLUMN group_outages.kind IS 'FEEDER, SECTION, LATERAL, TRANSFORMER or SERVICE';
COMMENT ON COLUMN group_outages.started_at IS 'When the outage began';
COMMENT ON COLUMN group_outages.group_id IS 'Name of the group: what it was called before it was merged';
COMMENT ON COLUMN group_outages.outage_id IS 'Name of the outage; another than group_id: merged into it';

-- A group is restored when restored_share of the meters that told are back: at the time the last of
-- those was. Meters still out then are what is left over.
CREATE MATERIALIZED VIEW group_restorations AS
SELECT transformer_id, group_at, MIN(restored_at) AS restored_at
FROM (
    SELECT
        m.transformer_id, m.group_at, m.restored_at, g.heard,
        ROW_NUMBER() OVER (PARTITION BY m.transformer_id, m.group_at ORDER BY m.restored_at, m.meter_id) AS place,
        p.restored_share
    FROM grouped_meters AS m
    CROSS JOIN ami_parameters AS p
    JOIN transformer_groups AS g ON g.transformer_id = m.transformer_id AND g.group_at = m.group_at
) AS placed
WHERE restored_at IS NOT NULL AND place >= restored_share * heard
GROUP BY transformer_id, group_at;

COMMENT ON MATERIALIZED VIEW group_restorations IS 'When groups were restored';
COMMENT ON COLUMN group_restorations.transformer_id IS 'The transformer';
COMMENT ON COLUMN group_restorations.group_at IS 'When its first meter went out';
COMMENT ON COLUMN group_restorations.restored_at IS 'When so many were back';

-- Who was without supply: of a transformer that is out every active meter, of a service the one.
-- A member that said nothing came back with its transformer.
CREATE MATERIALIZED VIEW outage_members AS
SELECT g.outage_id, g.transformer_id, m.meter_id, TRUE AS gasped, m.out_at, m.restored_at, m.head_end
FROM group_outages AS g
JOIN grouped_meters AS m ON m.transformer_id = g.transformer_id AND m.group_at = g.group_at
UNION ALL
SELECT g.outage_id, g.transformer_id, r.meter_id, FALSE AS gasped, g.group_at AS out_at,
    COALESCE(MIN(u.at), MIN(b.restored_at)) AS restored_at, COALESCE(r.head_end, '') AS head_end
FROM group_outages AS g
JOIN meter_registry AS r
    ON r.transformer_id = g.transformer_id AND g.group_at >= r.valid_from
    AND g.group_at < COALESCE(r.valid_to, TIMESTAMPTZ 'infinity')
LEFT JOIN grouped_meters AS m
    ON m.transformer_id = g.transformer_id AND m.group_at = g.group_at AND m.meter_id = r.meter_id
LEFT JOIN group_restorations AS b ON b.transformer_id = g.transformer_id AND b.group_at = g.group_at
LEFT JOIN power_signals AS u
    ON u.meter_id = r.meter_id AND u.is_up AND u.at > g.group_at AND u.at < g.group_at + INTERVAL '7 days'
WHERE g.group_kind = 'TRANSFORMER' AND m.meter_id IS NULL AND r.state IN ('active', 'comm_exempt') AND r.measures = 'customer'
GROUP BY g.outage_id, g.transformer_id, r.meter_id, g.group_at, COALESCE(r.head_end, '');

COMMENT ON MATERIALIZED VIEW outage_members IS 'Meters of each outage and how long each was without supply';
COMMENT ON COLUMN outage_members.outage_id IS 'The outage';
COMMENT ON COLUMN outage_members.transformer_id IS 'The meter''s transformer';
COMMENT ON COLUMN outage_members.meter_id IS 'The meter';
COMMENT ON COLUMN outage_members.gasped IS 'Whether it told; else it is taken to be out as its transformer was';
COMMENT ON COLUMN outage_members.out_at IS 'When it went out; of a silent one, when the first of its transformer did';
COMMENT ON COLUMN outage_members.restored_at IS 'When it was back: its own sign, else when its transformer was; NULL: it is out';
COMMENT ON COLUMN outage_members.head_end IS 'Its head-end';
