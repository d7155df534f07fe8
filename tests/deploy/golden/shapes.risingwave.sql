CREATE TABLE "meters" (
  "id" INTEGER,
  "name" VARCHAR,
  "since" TIMESTAMPTZ,
  PRIMARY KEY ("id")
);

CREATE TABLE "limits" (
  "low" INTEGER,
  "high" INTEGER
);

CREATE TABLE "seen" (
  "id" INTEGER,
  "ts" TIMESTAMPTZ,
  "n" INTEGER,
  "kind" VARCHAR
);

CREATE MATERIALIZED VIEW "every" AS
SELECT
  a1."id",
  b2."low"
FROM (
  SELECT
    "id",
    "name",
    "since",
    1 AS "_left_one"
  FROM "meters"
) AS a1
JOIN (
  SELECT
    "low",
    "high",
    1 AS "_right_one"
  FROM "limits"
) AS b2
  ON a1."_left_one" = b2."_right_one";

CREATE MATERIALIZED VIEW "within" AS
SELECT
  a1."n",
  b2."high"
FROM (
  SELECT
    "id",
    "ts",
    "n",
    "kind",
    1 AS "_left_one"
  FROM "seen"
) AS a1
LEFT JOIN (
  SELECT
    "low",
    "high",
    1 AS "_right_one"
  FROM "limits"
) AS b2
  ON a1."_left_one" = b2."_right_one"
  AND (
    a1."n" >= b2."low" AND a1."n" < b2."high"
  );

CREATE MATERIALIZED VIEW "beyond" AS
SELECT
  a1."id",
  a1."n"
FROM (
  SELECT
    "id",
    "ts",
    "n",
    "kind",
    1 AS "_left_one"
  FROM "seen"
) AS a1
WHERE
  NOT EXISTS(
    SELECT
      1
    FROM (
      SELECT
        "low",
        "high",
        1 AS "_right_one"
      FROM "limits"
    ) AS b2
    WHERE
      a1."_left_one" = b2."_right_one" AND (
        a1."n" >= b2."low"
      )
  );

CREATE MATERIALIZED VIEW "reached" AS
SELECT
  a1."low"
FROM (
  SELECT
    "low",
    "high",
    1 AS "_left_one"
  FROM "limits"
) AS a1
WHERE
  EXISTS(
    SELECT
      1
    FROM (
      SELECT
        "id",
        "ts",
        "n",
        "kind",
        1 AS "_right_one"
      FROM "seen"
    ) AS b2
    WHERE
      a1."_left_one" = b2."_right_one" AND (
        b2."n" > a1."low"
      )
  );

CREATE MATERIALIZED VIEW "nested" AS
SELECT
  a1."id",
  a1."low",
  b2."n"
FROM (
  SELECT
    "id",
    "low",
    1 AS "_left_one"
  FROM "every"
) AS a1
JOIN (
  SELECT
    "n",
    1 AS "_right_one"
  FROM "seen"
) AS b2
  ON a1."_left_one" = b2."_right_one" AND (
    b2."n" > a1."low"
  );

CREATE MATERIALIZED VIEW "before" AS
SELECT
  a1."id",
  b2."n",
  b2."kind"
FROM "meters" AS a1
ASOF LEFT JOIN (
  SELECT DISTINCT ON ("id", "ts")
    "id" AS id_1,
    "ts",
    "n",
    "kind"
  FROM "seen"
  ORDER BY
    "id",
    "ts",
    "id" ASC,
    "ts" ASC,
    "n" ASC,
    "kind" ASC
) AS b2
  ON a1."id" = b2.id_1 AND (
    a1."since" + INTERVAL '30 minutes'
  ) >= b2."ts";

CREATE MATERIALIZED VIEW "last" AS
SELECT
  a1."id",
  b2."n",
  b2."kind"
FROM (
  SELECT
    "id",
    "name",
    "since",
    1 AS "_left_one"
  FROM "meters"
) AS a1
ASOF JOIN (
  SELECT DISTINCT ON ("ts")
    "id" AS id_1,
    "ts",
    "n",
    "kind",
    1 AS "_right_one"
  FROM "seen"
  ORDER BY
    "ts",
    "id" ASC,
    "ts" ASC,
    "n" ASC,
    "kind" ASC
) AS b2
  ON a1."_left_one" = b2."_right_one" AND a1."since" >= b2."ts";

CREATE MATERIALIZED VIEW "totals" AS
SELECT
  "id",
  "n",
  CAST(over_1 AS BIGINT) AS so_far,
  over_2 AS "rows",
  over_3 AS "some",
  over_4 AS any_two
FROM (
  SELECT
    "id",
    "ts",
    "n",
    over_1,
    over_2,
    COUNT(*) FILTER(WHERE
      "n" > 1) OVER (PARTITION BY "id" ORDER BY "ts" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS over_3,
    BOOL_OR("n" = 2) OVER (PARTITION BY "id" ORDER BY "ts" RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS over_4
  FROM (
    SELECT
      "id",
      "ts",
      "n",
      SUM("n") OVER (
        PARTITION BY CAST(1 AS INT)
        ORDER BY "ts"
        RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS over_1,
      COUNT(*) OVER (PARTITION BY CAST(1 AS INT)) AS over_2
    FROM "seen"
  ) AS q1
) AS q2;

CREATE MATERIALIZED VIEW "texts" AS
SELECT
  "id",
  CAST((
    "since" AT TIME ZONE 'UTC'
  ) AS VARCHAR) || '+00' AS "told"
FROM "meters";

CREATE MATERIALIZED VIEW "endless" AS
SELECT
  COALESCE("since", CAST('9999-12-31 23:59:59.999999+00:00' AS TIMESTAMPTZ)) AS "until"
FROM "meters";

CREATE SOURCE "reads" (
  "id" INTEGER,
  "ts" TIMESTAMPTZ,
  WATERMARK FOR "ts" AS "ts" - INTERVAL '24 hours'
)
WITH (
  connector = 'kafka',
  topic = 'reads',
  properties.bootstrap.server = 'kafka:9092'
)
FORMAT PLAIN ENCODE JSON;

CREATE INDEX by_name ON "meters" ("name");

