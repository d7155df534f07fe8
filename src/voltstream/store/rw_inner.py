"""RisingWave's catalogs of its inner parts: empty where one process has none, else one for a job.

Source: RisingWave's documentation, "System catalogs".
"""

from __future__ import annotations

from voltstream.store.pg_catalog.shape import empty

_VERSION = "version_id l, max_committed_epoch l, safe_epoch l, compaction_group j"
_NONE = (
    "rw_actor_splits: actor_id i, split_id t, source_id i, fragment_id i, fragment_type t",
    "rw_cdc_progress: job_id i, split_total_count l, split_backfilled_count l, "
    "split_completed_count l",
    f"rw_hummock_checkpoint_version: {_VERSION}",
    f"rw_hummock_current_version: {_VERSION}",
    "rw_hummock_sstables: sstable_id l, object_id l, compaction_group_id l, level_id i, "
    "sub_level_id l, level_type i, key_range_left x, key_range_right x, right_exclusive b, "
    "file_size l, meta_offset l, stale_key_count l, total_key_count l, min_epoch l, max_epoch l, "
    "uncompressed_file_size l, range_tombstone_count l, bloom_filter_kind i, table_ids j",
    "rw_hummock_version_deltas: id l, prev_id l, trivial_move b, group_deltas j",
    "rw_iceberg_files: source_id i, schema_name t, source_name t, content t, file_path t, "
    "file_format t, record_count l, file_size_in_bytes l, equality_ids ii, sort_order_id i",
    "rw_meta_snapshot: meta_snapshot_id l, hummock_version_id l, remarks t, state_table_info j, "
    "rw_version t",
    "rw_streaming_job_config: id i, name t, database_id i, key t, value t",
)
_CATALOG = "FROM rw_catalog"
_DDL = (
    "d.id AS job_id, d.schema_id, CASE d.relation_type WHEN 'materialized view' THEN 'mv' ELSE "
    f"d.relation_type END AS ddl_type, d.name {_CATALOG}.rw_relations d JOIN rw_catalog"
)
_JOBS = (
    "VIEW rw_actor_infos AS SELECT actor_id, fragment_id, CAST(NULL AS JSON) AS node, "
    f"CAST(NULL AS JSON) AS dispatcher {_CATALOG}.rw_actors",
    f"VIEW rw_actor_id_to_ddl AS SELECT a.actor_id, {_DDL}.rw_actors a ON a.fragment_id = d.id",
    "VIEW rw_fragment_id_to_ddl AS SELECT f.fragment_id, "
    f"{_DDL}.rw_fragments f ON f.table_id = d.id",
    "VIEW rw_fragment_parallelism AS SELECT d.id, d.name, d.relation_type, f.fragment_id, "
    "'SINGLE' AS distribution_type, (SELECT list(i.id) FROM rw_catalog.rw_internal_table_info i "
    "WHERE i.job_id = d.id) AS state_table_ids, CAST([] AS INTEGER[]) AS upstream_fragment_ids, "
    "CAST([] AS VARCHAR[]) AS flags, f.parallelism, 1 AS max_parallelism "
    f"{_CATALOG}.rw_relations d JOIN rw_catalog.rw_fragments f ON f.table_id = d.id",
    "VIEW rw_streaming_parallelism AS SELECT d.id, d.name, d.relation_type, f.parallelism "
    f"{_CATALOG}.rw_relations d JOIN rw_catalog.rw_table_fragments f ON f.table_id = d.id",
    "VIEW rw_table_stats AS SELECT id, rows AS total_key_count, 8 * rows AS total_key_size, "
    f"bytes AS total_value_size {_CATALOG}.rw_state_sizes",
    "VIEW rw_relation_info AS SELECT d.schema AS schemaname, d.name AS relationname, d.owner AS "
    "relationowner, d.definition, upper(d.relation_type) AS relationtype, d.id AS relationid, "
    "'UTC' AS relationtimezone, CAST(NULL AS VARCHAR) AS fragments, o.created AS initialized_at, "
    f"o.created AS created_at {_CATALOG}.rw_relations d JOIN _vs.objects o ON o.oid = d.id "
    "WHERE d.relation_type IN ('table', 'materialized view', 'sink', 'index', 'source')",
    "VIEW rw_recovery_info AS SELECT id AS database_id, name AS database_name, 'RUNNING' AS "
    "recovery_state, 'UNKNOWN' AS last_database_event, 'RUNNING' AS last_global_event, "
    f"true AS in_global_running, false AS in_global_recovering {_CATALOG}.rw_databases",
)


def inner_views() -> tuple[str, ...]:
    """Return the statements that make them, to run after those of RW_VIEWS."""
    views = (*map(empty, _NONE), *_JOBS)
    return tuple(f"CREATE OR REPLACE VIEW rw_catalog.{v.removeprefix('VIEW ')}" for v in views)
