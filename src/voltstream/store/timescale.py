"""Jobs, and what users see of hypertables: TimescaleDB's informational views and size functions."""

from __future__ import annotations

from dataclasses import dataclass

from voltstream.core.limits import JOB_HISTORY_MAX
from voltstream.store import hypertable
from voltstream.store.database import Connection

JOB_TABLES = (
    "CREATE TABLE IF NOT EXISTS _vs.jobs (id BIGINT, proc VARCHAR, name VARCHAR, every_us BIGINT, "
    "retries INTEGER, retry_us BIGINT, scheduled BOOLEAN, oid BIGINT, config VARCHAR, "
    "next_us BIGINT, initial_us BIGINT)",
    "CREATE TABLE IF NOT EXISTS _vs.job_runs (job BIGINT, started_us BIGINT, finished_us BIGINT, "
    "error VARCHAR, sqlstate VARCHAR)",
)
FIRST_JOB = 1_000
JOB_NUMBERS = f"CREATE SEQUENCE IF NOT EXISTS _vs.job_numbers START {FIRST_JOB}"
_INFO = "CREATE OR REPLACE VIEW timescaledb_information."
_CHUNK_NAME = "'_hyper_' || h.id || '_' || c.id || '_chunk'"
_AT = "CASE WHEN c.kind LIKE 'TIMESTAMP%' OR c.kind = 'DATE' THEN make_timestamptz({}) END"
_NUMBER = "CASE WHEN NOT (c.kind LIKE 'TIMESTAMP%' OR c.kind = 'DATE') THEN {} END"
# Hypertables and continuous aggregates under their names.
_NAMED = (
    "CREATE OR REPLACE VIEW _vs.hyper_named AS SELECT h.*, o.schema, o.name FROM _vs.hyper h "
    "JOIN _vs.objects o USING (oid)"
)
_CHUNKS = (
    "CREATE OR REPLACE VIEW _vs.chunks_named AS SELECT c.id, c.oid, c.low, c.high, c.created, "
    f"h.schema, h.name, h.column_name, h.kind, {_CHUNK_NAME} AS chunk_name, "
    "'_timescaledb_internal' AS chunk_schema, coalesce(p.files, 0) AS files, p.rows, p.bytes, "
    "p.bytes_before, p.tier FROM _vs.chunks c JOIN _vs.hyper_named h USING (oid) LEFT JOIN "
    "(SELECT chunk, count(*) AS files, sum(rows)::BIGINT AS rows, sum(bytes)::BIGINT AS bytes, "
    "sum(bytes_before)::BIGINT AS bytes_before, max(tier) AS tier FROM _vs.parts GROUP BY chunk) p "
    "ON p.chunk = c.id"
)
_ROWS = "SELECT n.rows FROM _vs.hot_rows n WHERE n.oid = h.oid"
VIEWS = (
    "CREATE OR REPLACE MACRO _vs.length_of(us) AS to_days((us // 86400000000)::INTEGER) + "
    "to_microseconds(us % 86400000000)",
    _NAMED,
    _CHUNKS,
    f"{_INFO}hypertables AS SELECT schema AS hypertable_schema, name AS hypertable_name, "
    "'volt' AS owner, (1 + json_array_length(dimensions))::SMALLINT AS num_dimensions, "
    "(SELECT count(*) FROM _vs.chunks c WHERE c.oid = h.oid) AS num_chunks, "
    "compressed AS compression_enabled, NULL::VARCHAR[] AS tablespaces, "
    "column_name AS primary_dimension, CASE kind WHEN 'TIMESTAMP WITH TIME ZONE' THEN "
    "'timestamp with time zone' WHEN 'TIMESTAMP' THEN 'timestamp without time zone' "
    "ELSE lower(kind) END AS primary_dimension_type FROM _vs.hyper_named h",
    f"{_INFO}dimensions AS SELECT schema AS hypertable_schema, name AS hypertable_name, "
    "1::BIGINT AS dimension_number, column_name, CASE kind WHEN 'TIMESTAMP WITH TIME ZONE' THEN "
    "'timestamp with time zone' WHEN 'TIMESTAMP' THEN 'timestamp without time zone' "
    "ELSE lower(kind) END AS column_type, 'Time' AS dimension_type, "
    "CASE WHEN kind LIKE 'TIMESTAMP%' OR kind = 'DATE' THEN _vs.length_of(step) END "
    "AS time_interval, CASE WHEN NOT (kind LIKE 'TIMESTAMP%' OR kind = 'DATE') THEN step END "
    "AS integer_interval, CASE WHEN kind LIKE 'TIMESTAMP%' OR kind = 'DATE' THEN "
    "make_timestamptz(origin) END AS time_origin, CASE WHEN NOT (kind LIKE 'TIMESTAMP%' OR kind = "
    "'DATE') THEN origin END AS integer_origin, NULL::VARCHAR AS integer_now_func, "
    "NULL::SMALLINT AS num_partitions "
    "FROM _vs.hyper_named UNION ALL SELECT schema, name, d.n + 1, d.column_name, '', 'Space', "
    "NULL, NULL, NULL, NULL, NULL, d.parts::SMALLINT FROM (SELECT schema, name, "
    'unnest(from_json(dimensions, \'[{"column_name":"VARCHAR","parts":"INTEGER","n":'
    '"BIGINT"}]\')) AS d FROM _vs.hyper_named)',
    f"{_INFO}chunks AS SELECT schema AS hypertable_schema, name AS hypertable_name, "
    "chunk_schema, chunk_name, column_name AS primary_dimension, "
    "CASE kind WHEN 'TIMESTAMP WITH TIME ZONE' THEN 'timestamp with time zone' WHEN 'TIMESTAMP' "
    "THEN 'timestamp without time zone' ELSE lower(kind) END AS primary_dimension_type, "
    f"{_AT.format('low')} AS range_start, {_AT.format('high')} AS range_end, "
    f"{_NUMBER.format('low')} AS range_start_integer, {_NUMBER.format('high')} AS "
    "range_end_integer, files > 0 AS is_compressed, tier AS chunk_tablespace, "
    "created AS chunk_creation_time FROM _vs.chunks_named c",
    f"{_INFO}compression_settings AS SELECT h.schema AS hypertable_schema, h.name AS "
    "hypertable_name, s.attname, s.segmentby_column_index, s.orderby_column_index, s.orderby_asc, "
    "s.orderby_nullsfirst FROM _vs.hyper_named h, LATERAL (SELECT unnest(h.segmentby) AS attname, "
    "generate_subscripts(h.segmentby, 1)::SMALLINT AS segmentby_column_index, "
    "NULL::SMALLINT AS orderby_column_index, NULL::BOOLEAN AS orderby_asc, "
    "NULL::BOOLEAN AS orderby_nullsfirst UNION ALL SELECT trim(split_part(item, '\" ', 1), '\"'), "
    "NULL, n::SMALLINT, item NOT LIKE '%DESC%', CASE WHEN item LIKE '%NULLS FIRST' THEN true WHEN "
    "item LIKE '%NULLS LAST' THEN false ELSE item LIKE '%DESC%' END FROM (SELECT "
    "unnest(CASE WHEN len(h.orderby) = 0 THEN ['\"' || h.column_name || '\"'] ELSE h.orderby END) "
    "AS item, unnest(range(1, 1 + greatest(len(h.orderby), 1))) AS n)) s WHERE h.compressed",
    *(
        f"{_INFO}{of}_{store}_settings AS SELECT h.schema || '.' || h.name AS hypertable, {chunk}"
        "array_to_string(h.segmentby, ',') AS segmentby, array_to_string(CASE WHEN "
        "len(h.orderby) = 0 THEN [h.column_name] ELSE list_transform(h.orderby, "
        f"lambda x: replace(x, '\"', '')) END, ',') AS orderby FROM {rows}"
        for store in ("compression", "columnstore")
        for of, chunk, rows in (
            ("hypertable", "", "_vs.hyper_named h WHERE h.compressed"),
            (
                "chunk",
                "c.chunk_schema || '.' || c.chunk_name AS chunk, ",
                "_vs.chunks_named c JOIN _vs.hyper_named h USING (oid) WHERE c.files > 0",
            ),
        )
    ),
    f"{_INFO}continuous_aggregates AS SELECT o.schema AS hypertable_schema, r.name AS "
    "hypertable_name, o.schema AS view_schema, o.name AS view_name, 'volt' AS view_owner, "
    "false AS materialized_only, coalesce((SELECT h.compressed FROM _vs.hyper h WHERE "
    "h.oid = o.oid), false) AS compression_enabled, '_vs' AS materialization_hypertable_schema, "
    "'mv_' || o.oid AS materialization_hypertable_name, o.definition AS view_definition, "
    "true AS finalized FROM _vs.objects o LEFT JOIN (SELECT d.oid, min(b.name) AS name FROM "
    "_vs.dependencies d JOIN _vs.objects b ON b.oid = d.on_oid GROUP BY d.oid) r ON r.oid = o.oid "
    "WHERE o.kind = 'materialized view' AND coalesce(json_extract_string(o.properties, "
    "'$.\"timescaledb.continuous\"'), json_extract_string(o.properties, '$.\"tsdb.continuous\"')) "
    "= 'true'",
    f"{_INFO}jobs AS SELECT j.id::INTEGER AS job_id, j.name || ' [' || j.id || ']' AS "
    "application_name, _vs.length_of(every_us) AS schedule_interval, INTERVAL 0 SECONDS AS "
    "max_runtime, retries AS max_retries, _vs.length_of(retry_us) AS retry_period, "
    "CASE WHEN proc LIKE 'policy_%' THEN '_timescaledb_functions' ELSE 'public' END AS "
    "proc_schema, proc AS proc_name, 'volt' AS owner, scheduled, false AS fixed_schedule, "
    "config::JSON AS config, make_timestamptz(next_us) AS next_start, "
    "make_timestamptz(initial_us) AS initial_start, "
    "o.schema AS hypertable_schema, o.name AS hypertable_name, "
    "NULL::VARCHAR AS check_schema, NULL::VARCHAR AS check_name "
    "FROM _vs.jobs j LEFT JOIN _vs.objects o USING (oid)",
    f"{_INFO}job_history AS SELECT "
    "row_number() OVER (ORDER BY started_us, r.job)::INTEGER AS id, "
    "r.job::INTEGER AS job_id, error IS NULL AS succeeded, CASE WHEN j.proc LIKE 'policy_%' "
    "THEN '_timescaledb_functions' ELSE 'public' END AS proc_schema, j.proc AS proc_name, "
    "NULL::INTEGER AS pid, make_timestamptz(started_us) AS start_time, "
    "make_timestamptz(finished_us) AS finish_time, j.config::JSON AS config, "
    "r.sqlstate AS sqlerrcode, r.error AS err_message "
    "FROM _vs.job_runs r LEFT JOIN _vs.jobs j ON j.id = r.job",
    f"{_INFO}job_errors AS SELECT job_id, proc_schema, proc_name, pid, start_time, finish_time, "
    "sqlerrcode, err_message FROM timescaledb_information.job_history WHERE NOT succeeded",
    f"{_INFO}job_stats AS SELECT o.schema AS hypertable_schema, o.name AS hypertable_name, "
    "j.id::INTEGER AS job_id, make_timestamptz(max(r.started_us)) AS last_run_started_at, "
    "make_timestamptz(max(r.finished_us) FILTER (r.error IS NULL)) AS last_successful_finish, "
    "CASE WHEN count(r.job) = 0 THEN NULL WHEN arg_max(r.error IS NULL, r.started_us) THEN "
    "'Success' ELSE 'Failed' END AS last_run_status, CASE WHEN bool_and(j.scheduled) THEN "
    "'Scheduled' ELSE 'Paused' END AS job_status, to_microseconds(arg_max(r.finished_us - "
    "r.started_us, r.started_us)) AS last_run_duration, make_timestamptz(max(j.next_us)) AS "
    "next_start, count(r.job) AS total_runs, count(r.job) FILTER (r.error IS NULL) AS "
    "total_successes, count(r.error) AS total_failures FROM _vs.jobs j LEFT JOIN _vs.job_runs r "
    "ON r.job = j.id LEFT JOIN _vs.objects o USING (oid) GROUP BY j.id, o.schema, o.name",
    # --- sizes ----------------------------------------------------------------------------------
    f"CREATE OR REPLACE VIEW _vs.hyper_sizes AS SELECT h.oid, h.schema, h.name, "
    f"coalesce(({_ROWS}), 0)::BIGINT AS hot_rows, coalesce((SELECT sum(p.bytes) FROM _vs.parts p "
    "WHERE p.oid = h.oid), 0)::BIGINT AS cold_bytes, coalesce((SELECT sum(p.rows) FROM _vs.parts p "
    "WHERE p.oid = h.oid), 0)::BIGINT - (SELECT count(*) FROM _vs.tombs t JOIN _vs.parts p ON "
    "p.id = t.part WHERE p.oid = h.oid) AS cold_rows FROM _vs.hyper_named h",
)

_IS = "(replace(x, '\"', '') IN (h.name, h.schema || '.' || h.name))"
# Hot rows lie in the database file: of what it uses, they are told by their share of its rows.
_HOT_BYTES = (
    "(h.hot_rows * (SELECT total_blocks * block_size FROM pragma_database_size() LIMIT 1) // "
    "greatest((SELECT sum(estimated_size) FROM duckdb_tables()), 1))::BIGINT"
)
_NO_BYTES = "0::BIGINT"
_BEFORE = ("before_compression_table_bytes", "before_compression_index_bytes",
           "before_compression_toast_bytes", "before_compression_total_bytes")  # fmt: skip
_AFTER = tuple(name.replace("before", "after") for name in _BEFORE)


def _compared(before: str, after: str) -> str:
    sizes = (before, "NULL::BIGINT", "NULL::BIGINT", before, after, "NULL::BIGINT",
             "NULL::BIGINT", after)  # fmt: skip
    pairs = zip(sizes, (*_BEFORE, *_AFTER), strict=True)
    return ", ".join(f"{value} AS {name}" for value, name in pairs)


def _stats(chunk: str, hypertable_: str) -> tuple[str, ...]:
    """Return both twins: what chunk files take, for each chunk and for all of them."""
    whole = _compared("sum(c.bytes_before)::BIGINT", "sum(c.bytes)::BIGINT")
    return (
        f"CREATE OR REPLACE MACRO main.{chunk}(x) AS TABLE SELECT h.chunk_schema, h.chunk_name, "
        "CASE WHEN files > 0 THEN 'Compressed' ELSE 'Uncompressed' END AS compression_status, "
        f"{_compared('h.bytes_before', 'h.bytes')}, NULL::VARCHAR AS node_name "
        f"FROM _vs.chunks_named h WHERE {_IS} ORDER BY h.low",
        f"CREATE OR REPLACE MACRO main.{hypertable_}(x) AS TABLE SELECT count(*) AS total_chunks, "
        f"count(*) FILTER (c.files > 0) AS number_compressed_chunks, {whole}, NULL::VARCHAR AS "
        f"node_name FROM _vs.chunks_named c JOIN _vs.hyper_named h USING (oid) WHERE {_IS} "
        "GROUP BY h.oid",
    )


MACROS = (
    "CREATE OR REPLACE MACRO main.hypertable_size(x) AS (SELECT h.cold_bytes + "
    f"{_HOT_BYTES} FROM _vs.hyper_sizes h WHERE {_IS})",
    "CREATE OR REPLACE MACRO main.approximate_row_count(x) AS (SELECT h.hot_rows + h.cold_rows "
    f"FROM _vs.hyper_sizes h WHERE {_IS})",
    "CREATE OR REPLACE MACRO main.hypertable_detailed_size(x) AS TABLE SELECT h.cold_bytes + "
    f"{_HOT_BYTES} AS table_bytes, {_NO_BYTES} AS index_bytes, {_NO_BYTES} AS toast_bytes, "
    f"h.cold_bytes + {_HOT_BYTES} AS total_bytes, NULL::VARCHAR AS node_name "
    f"FROM _vs.hyper_sizes h WHERE {_IS}",
    "CREATE OR REPLACE MACRO main.chunks_detailed_size(x) AS TABLE SELECT h.chunk_schema, "
    f"h.chunk_name, coalesce(h.bytes, 0)::BIGINT AS table_bytes, {_NO_BYTES} AS index_bytes, "
    f"{_NO_BYTES} AS toast_bytes, coalesce(h.bytes, 0)::BIGINT AS total_bytes, NULL::VARCHAR AS "
    f"node_name FROM _vs.chunks_named h WHERE {_IS} ORDER BY h.low",
    *_stats("chunk_compression_stats", "hypertable_compression_stats"),
    *_stats("chunk_columnstore_stats", "hypertable_columnstore_stats"),
)


def forget(connection: Connection, oid: int) -> None:
    """Forget what hangs on a relation that goes: its chunks and its jobs."""
    if hypertable.find(connection, oid) is not None:
        hypertable.forget(connection, oid)
    connection.execute(f"DELETE FROM _vs.jobs WHERE oid = {oid}")


# --- jobs ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """A procedure that runs by itself. ``config`` is JSON text."""

    id: int
    proc: str
    name: str
    every_us: int
    retries: int
    retry_us: int
    scheduled: bool
    oid: int | None
    config: str
    next_us: int
    initial_us: int | None


def add_job(connection: Connection, job: Job) -> None:
    connection.execute(
        f"INSERT INTO _vs.jobs VALUES ({', '.join('?' * 11)})",
        [
            job.id, job.proc, job.name, job.every_us, job.retries, job.retry_us, job.scheduled,
            job.oid, job.config, job.next_us, job.initial_us,
        ],
    )  # fmt: skip


def change_job(connection: Connection, job: Job) -> None:
    delete_job(connection, job.id)
    add_job(connection, job)


def delete_job(connection: Connection, job: int) -> None:
    connection.execute(f"DELETE FROM _vs.jobs WHERE id = {job}")


def jobs(connection: Connection, condition: str = "TRUE") -> list[Job]:
    found = connection.rows(
        "SELECT id, proc, name, every_us, retries, retry_us, scheduled, oid, config, next_us, "
        f"initial_us FROM _vs.jobs WHERE {condition} ORDER BY id"
    )
    return [Job(*row) for row in found]


def next_job_id(connection: Connection) -> int:
    """Return a number that no job has had."""
    found = connection.rows(
        "SELECT greatest(nextval('_vs.job_numbers'), (SELECT max(id) + 1 FROM _vs.jobs), "
        "(SELECT max(job) + 1 FROM _vs.job_runs))"
    )
    return int(found[0][0])


def add_run(
    connection: Connection, job: int, started_us: int, finished_us: int, fault: tuple[str, str]
) -> None:
    """Remember how a run ended; ``fault`` is its error and SQLSTATE, or two empty texts."""
    connection.execute(
        "INSERT INTO _vs.job_runs VALUES (?, ?, ?, ?, ?)",
        [job, started_us, finished_us, fault[0] or None, fault[1] or None],
    )
    connection.execute(
        "DELETE FROM _vs.job_runs WHERE started_us < (SELECT started_us FROM _vs.job_runs "
        f"ORDER BY started_us DESC LIMIT 1 OFFSET {JOB_HISTORY_MAX})"
    )
