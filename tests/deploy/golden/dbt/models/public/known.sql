{{ config(materialized="view") }}

SELECT r.site_id, site.meter_no, r.at, r.kwh /* of site, not {{ '{{' }} site }} */ FROM {{ source("public", "reading") }} AS r JOIN {{ source("public", "site") }} ON site.site_id = r.site_id WHERE meter_no <> '{{ '{%' }} raw %} site'
