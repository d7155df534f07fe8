-- A blackhole sink takes everything; what it took has left the outbox.
CREATE TABLE meter (id INT PRIMARY KEY);
CREATE SINK gone FROM meter WITH (connector = 'blackhole', primary_key = 'id') FORMAT UPSERT ENCODE JSON;
INSERT INTO meter VALUES (1), (2);
-- show file nothing
SELECT name, state, pending, dropped FROM rw_sinks;
