{{ config(materialized='materialized_view') }}

SELECT transformer_id, MAX(loading_pct) AS highest_pct, 100 - MAX(loading_pct) AS left_pct
FROM {{ source('grid', 'transformer_load') }}
WHERE complete
GROUP BY transformer_id
