{{ config(materialized="materialized_view") }}

SELECT p.place, p.total * t.price AS due FROM {{ ref("public__per_site") }} p JOIN {{ source("public", "tariff") }} t ON t.site_id = p.place
