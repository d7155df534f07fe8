SELECT site_id, valid_from, count(*) AS copies
FROM {{ source("public", "tariff") }}
WHERE site_id IS NOT NULL AND valid_from IS NOT NULL
GROUP BY site_id, valid_from
HAVING count(*) > 1
