{{ config(materialized="table") }}
select site, sum(kwh) as kwh, count(*) as readings from {{ ref("readings") }} group by site
