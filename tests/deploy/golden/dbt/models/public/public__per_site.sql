{{ config(materialized="materialized_view", alias="per_site", indexes=[{"columns": ["total"], "unique": false}]) }}

SELECT * FROM (
WITH site AS (SELECT site_id, kwh FROM {{ ref("known") }}) SELECT site_id, sum(kwh) FROM site GROUP BY site_id
) AS voltstream_query (place, total)
