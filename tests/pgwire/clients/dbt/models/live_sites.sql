{{ config(materialized="materialized_view") }}
select site, max(kwh) as most from {{ ref("readings") }} group by site
