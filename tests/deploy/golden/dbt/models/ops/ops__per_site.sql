{{ config(materialized="materialized_view", schema="ops", alias="per_site", indexes=[{"columns": ["site_id", "window_start"], "unique": false}]) }}

SELECT site_id, window_start, sum(kwh) AS kwh FROM TUMBLE({{ source("public", "reading") }}, at, INTERVAL '15 minutes') GROUP BY site_id, window_start
EMIT ON WINDOW CLOSE
