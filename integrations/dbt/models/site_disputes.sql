{{ config(materialized='view') }}

SELECT d.site, d.day, d.sessions, d.revenue, COUNT(x.transaction_id) AS disputed
FROM {{ ref('site_days') }} AS d
LEFT JOIN {{ ref('disputed_sessions') }} AS x
    ON x.site = d.site AND CAST(x.stopped_at AT TIME ZONE 'UTC' AS DATE) = d.day
GROUP BY d.site, d.day, d.sessions, d.revenue
