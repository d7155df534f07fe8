-- MERGE, and changes that read other tables.
CREATE TABLE meter (id INT PRIMARY KEY, wh INT);
CREATE MATERIALIZED VIEW total AS SELECT sum(wh) AS wh, count(*) AS n FROM meter;
INSERT INTO meter VALUES (1, 10), (2, 20), (3, 30);
CREATE TABLE read (meter INT, wh INT);
INSERT INTO read VALUES (1, 5), (2, NULL), (7, 70);
MERGE INTO meter m USING read r ON m.id = r.meter
  WHEN MATCHED AND r.wh IS NULL THEN DELETE
  WHEN MATCHED THEN UPDATE SET wh = m.wh + r.wh
  WHEN NOT MATCHED THEN INSERT (id, wh) VALUES (r.meter, r.wh);
SELECT * FROM meter ORDER BY id;
SELECT * FROM total;
INSERT INTO read VALUES (1, 6);
MERGE INTO meter USING read ON meter.id = read.meter WHEN MATCHED THEN DELETE;
MERGE INTO meter USING read ON meter.id = read.meter WHEN NOT MATCHED BY SOURCE THEN DELETE;
MERGE INTO total USING read ON true WHEN MATCHED THEN DELETE;
UPDATE meter SET wh = r.wh FROM (SELECT meter, max(wh) AS wh FROM read GROUP BY meter) r WHERE r.meter = meter.id RETURNING meter.id, meter.wh;
DELETE FROM meter USING read WHERE read.meter = meter.id AND read.wh = 70 RETURNING *;
UPDATE meter SET wh = (SELECT sum(wh) FROM read WHERE read.meter = meter.id);
SELECT * FROM meter ORDER BY id;
WITH gone AS (SELECT 3 AS id) DELETE FROM meter WHERE id IN (SELECT id FROM gone);
SELECT * FROM total;
TRUNCATE meter;
SELECT * FROM total;
