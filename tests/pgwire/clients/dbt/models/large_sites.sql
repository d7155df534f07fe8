{{ config(materialized="view") }}
select site, kwh from {{ ref("per_site") }} where kwh >= 4
