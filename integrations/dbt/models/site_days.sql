{{ config(materialized='materialized_view') }}

SELECT
    s.site,
    CAST(s.stopped_at AT TIME ZONE 'UTC' AS DATE) AS day,
    COUNT(*) AS sessions,
    SUM(s.energy_wh) / 1000 AS energy_kwh,
    SUM(s.energy_wh) / 1000 * MIN(p.price_per_kwh) AS revenue
FROM {{ source('charging', 'finished_sessions') }} AS s
LEFT JOIN {{ ref('energy_prices') }} AS p ON p.site = s.site
GROUP BY s.site, CAST(s.stopped_at AT TIME ZONE 'UTC' AS DATE)
