CREATE VIEW `limits` AS
SELECT
  `name`,
  CASE WHEN REGEXP(`after`, '^(?=.)(-?[0-9]+ days?)?( ?[-+]?[0-9]+:[0-9]{2}:[0-9]{2}([.][0-9]{1,6})?)?$') THEN CAST(COALESCE(REGEXP_EXTRACT(`after`, '(-?[0-9]+) days?', 1), '0') AS BIGINT) * 86400000000 + (CASE WHEN REGEXP(`after`, '-[0-9]+:') THEN -1 ELSE 1 END) * (((CAST(COALESCE(REGEXP_EXTRACT(`after`, '([0-9]+):([0-9]+):([0-9]+)', 1), '0') AS BIGINT) * 60 + CAST(COALESCE(REGEXP_EXTRACT(`after`, '([0-9]+):([0-9]+):([0-9]+)', 2), '0') AS BIGINT)) * 60 + CAST(COALESCE(REGEXP_EXTRACT(`after`, '([0-9]+):([0-9]+):([0-9]+)', 3), '0') AS BIGINT)) * 1000000 + CAST(RPAD(COALESCE(REGEXP_EXTRACT(`after`, '[.]([0-9]+)', 1), '0'), 6, '0') AS BIGINT)) END AS `after`
FROM limits__records;

CREATE VIEW `spans` AS
SELECT
  `name`,
  (CAST(`after` AS BIGINT) * 2) AS `twice`
FROM `limits`;

CREATE VIEW voltstream_clock AS
SELECT MAX(tick) AS now_at FROM voltstream_ticks;

CREATE VIEW `late` AS
WITH q3 AS (
  SELECT
    a1.`meter`,
    a1.`at`,
    b2.`after`
  FROM `seen` AS a1
  JOIN `limits` AS b2
    ON TRUE
)
SELECT
  `meter`,
  `at`,
  (CASE WHEN MOD(`after`, 1000) = 0 THEN `at` + INTERVAL '0.001' SECOND * (`after` / 1000) ELSE CAST(CONCAT(DATE_FORMAT(TO_TIMESTAMP_LTZ((((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + `after`) - MOD(MOD(((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + `after`), 1000000) + 1000000, 1000000)) / 1000000, 0), 'yyyy-MM-dd HH:mm:ss'), '.', LPAD(CAST(MOD(MOD(((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + `after`), 1000000) + 1000000, 1000000) AS STRING), 6, '0')) AS TIMESTAMP_LTZ(6)) END) AS `until`
FROM q3
CROSS JOIN voltstream_clock AS c4
WHERE
  (CASE WHEN MOD(`after`, 1000) = 0 THEN `at` + INTERVAL '0.001' SECOND * (`after` / 1000) ELSE CAST(CONCAT(DATE_FORMAT(TO_TIMESTAMP_LTZ((((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + `after`) - MOD(MOD(((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + `after`), 1000000) + 1000000, 1000000)) / 1000000, 0), 'yyyy-MM-dd HH:mm:ss'), '.', LPAD(CAST(MOD(MOD(((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + `after`), 1000000) + 1000000, 1000000) AS STRING), 6, '0')) AS TIMESTAMP_LTZ(6)) END) < c4.now_at;

CREATE VIEW `steps` AS
WITH q1 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`
  FROM `seen`
), q2 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    COALESCE((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)), 2305843009213693951) AS `_at`
  FROM q1
), q3 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`
  FROM q2
), q5 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    `_other`,
    2 * `_at` + `_other` AS `_place`
  FROM q3
  CROSS JOIN UNNEST(ARRAY[0, IF(`_at` = 0, 1, 1)]) AS s4(`_other`)
), q6 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    `_other`,
    `_place`,
    MAX(CASE WHEN `_other` = 1 THEN CONCAT(LPAD(CAST(`_at` + 4611686018427387904 AS STRING), 20, '0'), U&'\0001', COALESCE(CAST(`kwh` AS STRING), U&'\0002')) END) OVER (PARTITION BY `meter` ORDER BY `_place`) AS `_hit`
  FROM q5
), q8 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    `_hit`
  FROM q6
  WHERE
    `_other` = 0
), q9 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1
  FROM q8
  CROSS JOIN UNNEST(ARRAY[ROW(CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 1), U&'\0002') AS DECIMAL(12, 3)))]) AS n7(over_1)
), q10 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1
  FROM q9
), q12 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    `_other`,
    -2 * `_at` + `_other` AS `_place`
  FROM q10
  CROSS JOIN UNNEST(ARRAY[0, IF(`_at` = 0, 1, 1)]) AS s11(`_other`)
), q13 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    `_other`,
    `_place`,
    MIN(CASE WHEN `_other` = 1 THEN CONCAT(LPAD(CAST(`_at` + 4611686018427387904 AS STRING), 20, '0'), U&'\0001', COALESCE(CAST(`at` AS STRING), U&'\0002')) END) OVER (PARTITION BY `meter` ORDER BY `_place`) AS `_hit`
  FROM q12
), q15 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    `_hit`
  FROM q13
  WHERE
    `_other` = 0
), q16 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    over_2
  FROM q15
  CROSS JOIN UNNEST(ARRAY[ROW(CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 1), U&'\0002') AS TIMESTAMP_LTZ(6)))]) AS n14(over_2)
), q17 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    over_2,
    `_at` AS `_place`
  FROM q16
), q18 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    over_2,
    `_place`,
    SUM(`kwh`) OVER (PARTITION BY `meter` ORDER BY `_place`) AS over_3
  FROM q17
), q19 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `_at`,
    over_1,
    over_2,
    over_3
  FROM q18
), q20 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    over_1,
    over_2,
    over_3
  FROM q19
), u21 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    over_1,
    over_2,
    over_3
  FROM q20
  UNION ALL
  SELECT
    CAST(NULL AS STRING) AS `meter`,
    CAST(NULL AS TIMESTAMP_LTZ(6)) AS `at`,
    CAST(NULL AS DECIMAL(12, 3)) AS `kwh`,
    CAST(NULL AS DECIMAL(12, 3)) AS over_1,
    CAST(NULL AS TIMESTAMP_LTZ(6)) AS over_2,
    CAST(NULL AS DECIMAL(38, 3)) AS over_3
  FROM (VALUES (0)) AS never (n)
  WHERE
    RAND() < 0
)
SELECT
  `meter`,
  `at`,
  `kwh` - over_1 AS `step`,
  ((EXTRACT(EPOCH FROM `over_2`) * 1000000 + EXTRACT(MICROSECOND FROM `over_2`)) - (EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`))) > CAST(3600000000 AS BIGINT) AS `gap`,
  over_3 AS `total`
FROM u21;

CREATE VIEW `near` AS
WITH q1 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    `meter` AS `_k0`,
    (EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) AS `_at`
  FROM `seen`
), q2 AS (
  SELECT
    `meter` AS meter_1,
    `at` AS at_2,
    `kwh` AS kwh_3,
    `flags` AS flags_4,
    `rank` AS rank_5,
    `meter` AS `_k0`,
    (EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) AS `_at`
  FROM `seen`
), u3 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    `_k0`,
    COALESCE(2 * `_at` + 0, -9223372036854775807) AS `_place`,
    0 AS `_other`,
    CAST(NULL AS STRING) AS `_pack`
  FROM q1
  UNION ALL
  SELECT
    CAST(NULL AS STRING) AS `meter`,
    CAST(NULL AS TIMESTAMP_LTZ(6)) AS `at`,
    CAST(NULL AS DECIMAL(12, 3)) AS `kwh`,
    CAST(NULL AS BIGINT) AS `flags`,
    CAST(NULL AS INT) AS `rank`,
    `_k0`,
    COALESCE(2 * `_at` + 1, -9223372036854775807) AS `_place`,
    1 AS `_other`,
    CONCAT(LPAD(CAST(`_at` + 4611686018427387904 AS STRING), 20, '0'), U&'\0001', COALESCE(CAST(`meter_1` AS STRING), U&'\0002'), U&'\0001', COALESCE(CAST(`at_2` AS STRING), U&'\0002'), U&'\0001', COALESCE(CAST(`kwh_3` AS STRING), U&'\0002'), U&'\0001', COALESCE(CAST(`flags_4` AS STRING), U&'\0002'), U&'\0001', COALESCE(CAST(`rank_5` AS STRING), U&'\0002')) AS `_pack`
  FROM q2
  WHERE
    NOT `_at` IS NULL AND NOT `_k0` IS NULL
), q4 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    `_other`,
    MAX(`_pack`) OVER (PARTITION BY `_k0` ORDER BY `_place`) AS `_hit`
  FROM u3
), q6 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    `_hit`
  FROM q4
  WHERE
    `_other` = 0
), q7 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    meter_1,
    at_2,
    kwh_3,
    flags_4,
    rank_5
  FROM q6
  CROSS JOIN UNNEST(ARRAY[ROW(CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 1), U&'\0002') AS STRING), CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 2), U&'\0002') AS TIMESTAMP_LTZ(6)), CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 3), U&'\0002') AS DECIMAL(12, 3)), CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 4), U&'\0002') AS BIGINT), CAST(NULLIF(SPLIT_INDEX(`_hit`, U&'\0001', 5), U&'\0002') AS INT))]) AS n5(meter_1, at_2, kwh_3, flags_4, rank_5)
), q8 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    meter_1,
    at_2,
    kwh_3,
    flags_4,
    rank_5
  FROM q7
), u9 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    meter_1,
    at_2,
    kwh_3,
    flags_4,
    rank_5
  FROM q8
  UNION ALL
  SELECT
    CAST(NULL AS STRING) AS `meter`,
    CAST(NULL AS TIMESTAMP_LTZ(6)) AS `at`,
    CAST(NULL AS DECIMAL(12, 3)) AS `kwh`,
    CAST(NULL AS BIGINT) AS `flags`,
    CAST(NULL AS INT) AS `rank`,
    CAST(NULL AS STRING) AS meter_1,
    CAST(NULL AS TIMESTAMP_LTZ(6)) AS at_2,
    CAST(NULL AS DECIMAL(12, 3)) AS kwh_3,
    CAST(NULL AS BIGINT) AS flags_4,
    CAST(NULL AS INT) AS rank_5
  FROM (VALUES (0)) AS never (n)
  WHERE
    RAND() < 0
)
SELECT
  `meter`,
  `at`,
  kwh_3 AS `kwh`
FROM u9;

CREATE VIEW `marked` AS
SELECT
  `meter`,
  `at`,
  (ABS(MOD((`flags` - MOD(MOD(`flags`, 4) + 4, 4)) / 4, 2)) * 4 + ABS(MOD((`flags` - MOD(MOD(`flags`, 8) + 8, 8)) / 8, 2)) * 8) <> 0 AS `bad`,
  (
    CASE WHEN `kwh` < 0 THEN 1 ELSE 0 END
  ) + (
    CASE WHEN `kwh` > 9 THEN 2 ELSE 0 END
  ) AS `flags`
FROM `seen`;

CREATE VIEW `best` AS
WITH g1 AS (
  SELECT
    `meter`,
    COUNT(*) AS agg_2
  FROM `seen`
  GROUP BY
    `meter`
), q2 AS (
  SELECT
    `meter`,
    `rank` AS `_f0`,
    `kwh` AS `_f1`
  FROM `seen`
), q3 AS (
  SELECT
    `meter`,
    `_f0`,
    `_f1`,
    ROW_NUMBER() OVER (PARTITION BY `meter` ORDER BY `_f0` DESC NULLS FIRST, `_f1` DESC NULLS FIRST) AS `_place`
  FROM q2
), q4 AS (
  SELECT
    `meter`,
    `_f0`,
    `_f1`,
    `_place`,
    ROW_NUMBER() OVER (PARTITION BY `meter` ORDER BY `_f0` DESC NULLS FIRST, `_f1` DESC NULLS FIRST) AS `_rank`
  FROM q3
  WHERE
    `_place` <= 2
), g5 AS (
  SELECT
    `meter`,
    `_f0`,
    `_f1`
  FROM q4
  WHERE
    `_rank` = 1
)
SELECT
  `a`.`meter`,
  w0.`_f1` AS `kwh`,
  `a`.agg_2 AS `n`
FROM g1 AS a
LEFT JOIN g5 AS w0
  ON `a`.`meter` = w0.`meter`;

CREATE VIEW `latest` AS
WITH q1 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    CASE WHEN (NOT `kwh` IS NULL) AND (NOT `at` IS NULL) THEN CONCAT(LPAD(CAST((EXTRACT(EPOCH FROM `at`) * 1000000 + EXTRACT(MICROSECOND FROM `at`)) + 4611686018427387904 AS STRING), 20, '0'), U&'\0001', COALESCE(CAST(`kwh` AS STRING), U&'\0002')) END AS agg_1
  FROM `seen`
)
SELECT
  `meter`,
  CAST(NULLIF(SPLIT_INDEX(MAX(`agg_1`), U&'\0001', 1), U&'\0002') AS DECIMAL(12, 3)) AS `kwh`,
  PERCENTILE(CAST(TRY_CAST(`kwh` AS DOUBLE) AS DOUBLE), 0.5) AS `half`
FROM q1
GROUP BY
  `meter`;

CREATE VIEW `quarters` AS
WITH q1 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    CAST(`at` AS TIMESTAMP_LTZ(6)) AS `_start`,
    CASE WHEN CAST(900000000 AS BIGINT) > 0 AND (EXTRACT(EPOCH FROM CAST(`at` + INTERVAL '1' HOUR AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST(`at` + INTERVAL '1' HOUR AS TIMESTAMP_LTZ(6)))) >= (EXTRACT(EPOCH FROM CAST(`at` AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST(`at` AS TIMESTAMP_LTZ(6)))) THEN CAST(((EXTRACT(EPOCH FROM CAST(`at` + INTERVAL '1' HOUR AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST(`at` + INTERVAL '1' HOUR AS TIMESTAMP_LTZ(6)))) - (EXTRACT(EPOCH FROM CAST(`at` AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST(`at` AS TIMESTAMP_LTZ(6))))) / CAST(900000000 AS BIGINT) + 1 AS INT) ELSE 0 END AS `_count`,
    CAST(CAST(900000000 AS BIGINT) / 1000 AS BIGINT) AS `_step`
  FROM `seen`
), q3 AS (
  SELECT
    `meter`,
    `at`,
    `kwh`,
    `flags`,
    `rank`,
    IF(`_number` > 0, `_start` + INTERVAL '0.001' SECOND * (`_step` * (`_number` - 1)), CAST(NULL AS TIMESTAMP_LTZ(6))) AS q_1
  FROM q1
  CROSS JOIN UNNEST(SPLIT(REPEAT('x,', `_count`), ',')) WITH ORDINALITY AS s2(`_part`, `_number`)
  WHERE
    `_part` = 'x'
)
SELECT
  `meter`,
  q_1 AS `q`
FROM q3;

CREATE VIEW `days` AS
WITH q1 AS (
  SELECT
    CAST(MAX(CASE WHEN (EXTRACT(EPOCH FROM `tick`) * 1000000 + EXTRACT(MICROSECOND FROM `tick`)) >= (EXTRACT(EPOCH FROM CAST('2026-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST('2026-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6)))) THEN ((EXTRACT(EPOCH FROM `tick`) * 1000000 + EXTRACT(MICROSECOND FROM `tick`)) - (EXTRACT(EPOCH FROM CAST('2026-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6))) * 1000000 + EXTRACT(MICROSECOND FROM CAST('2026-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6))))) / 86400000000 + 1 ELSE 0 END) AS INT) AS `_count`
  FROM voltstream_ticks
), q3 AS (
  SELECT
    IF(`_number` > 0, CAST('2026-01-01 00:00:00+00:00' AS TIMESTAMP_LTZ(6)) + INTERVAL '0.001' SECOND * (CAST(86400000 AS BIGINT) * (`_number` - 1)), CAST(NULL AS TIMESTAMP_LTZ(6))) AS `s`
  FROM q1
  CROSS JOIN UNNEST(SPLIT(REPEAT('x,', `_count`), ',')) WITH ORDINALITY AS s2(`_part`, `_number`)
  WHERE
    `_part` = 'x'
)
SELECT
  `s` AS `d`
FROM q3;

CREATE VIEW `held` AS
SELECT
  a1.`meter`,
  CAST(CONCAT(CONVERT_TZ(DATE_FORMAT(`a1`.`at`, 'yyyy-MM-dd HH:mm:ss'), 'UTC', `b2`.`zone`), '.', LPAD(CAST(EXTRACT(MICROSECOND FROM `a1`.`at`) AS STRING), 6, '0')) AS TIMESTAMP(6)) AS `clock`,
  CAST(TIMESTAMP '9999-12-31 23:59:59.999999' AS TIMESTAMP_LTZ(6)) AS `until`
FROM `seen` AS a1
JOIN `zones` AS b2
  ON a1.`meter` = b2.`meter`;

