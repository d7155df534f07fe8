{{ config(materialized='view') }}

SELECT
    r.charge_point_id, r.transaction_id, s.site, r.stopped_at, r.billed_wh, r.meter_wh, r.delta_wh, r.difference
FROM {{ source('charging', 'billing_reconciliation') }} AS r
JOIN {{ source('charging', 'finished_sessions') }} AS s
    ON s.charge_point_id = r.charge_point_id AND s.transaction_id = r.transaction_id
WHERE r.outcome = 'DISPUTED'
