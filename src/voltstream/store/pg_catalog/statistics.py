"""pg_stat_*: what is counted here, and zeros where PostgreSQL counts what does not exist here."""

from __future__ import annotations

from voltstream.store.pg_catalog.cluster import SESSIONS
from voltstream.store.pg_catalog.shape import shaped

_STAT_ALL_TABLES = (
    "pg_stat_all_tables: relid o, schemaname t, relname t, seq_scan l, seq_tup_read l, "
    "idx_scan l, idx_tup_fetch l, n_tup_ins l, n_tup_upd l, n_tup_del l, n_tup_hot_upd l, "
    "n_live_tup l, n_dead_tup l, n_mod_since_analyze l, n_ins_since_vacuum l, last_vacuum z, "
    "last_autovacuum z, last_analyze z, last_autoanalyze z, vacuum_count l, autovacuum_count "
    "l, analyze_count l, autoanalyze_count l"
)
_STAT_DATABASE = (
    "pg_stat_database: datid o, datname t, numbackends i, xact_commit l, xact_rollback l, "
    "blks_read l, blks_hit l, tup_returned l, tup_fetched l, tup_inserted l, tup_updated l, "
    "tup_deleted l, conflicts l, temp_files l, temp_bytes l, deadlocks l, checksum_failures "
    "l, checksum_last_failure z, blk_read_time d, blk_write_time d, session_time d, "
    "active_time d, idle_in_transaction_time d, sessions l, sessions_abandoned l, "
    "sessions_fatal l, sessions_killed l, stats_reset z"
)
_STAT_BGWRITER = (
    "pg_stat_bgwriter: checkpoints_timed l, checkpoints_req l, checkpoint_write_time d, "
    "checkpoint_sync_time d, buffers_checkpoint l, buffers_clean l, maxwritten_clean l, "
    "buffers_backend l, buffers_backend_fsync l, buffers_alloc l, stats_reset z"
)
_STAT_ARCHIVER = (
    "pg_stat_archiver: archived_count l, last_archived_wal t, last_archived_time z, "
    "failed_count l, last_failed_wal t, last_failed_time z, stats_reset z"
)
_STAT_WAL = (
    "pg_stat_wal: wal_records l, wal_fpi l, wal_bytes d, wal_buffers_full l, wal_write l, "
    "wal_sync l, wal_write_time d, wal_sync_time d, stats_reset z"
)
_STATIO_ALL_TABLES = (
    "pg_statio_all_tables: relid o, schemaname t, relname t, heap_blks_read l, heap_blks_hit "
    "l, idx_blks_read l, idx_blks_hit l, toast_blks_read l, toast_blks_hit l, tidx_blks_read "
    "l, tidx_blks_hit l"
)
_AGGREGATE = (
    "pg_aggregate: aggfnoid o, aggkind t, aggnumdirectargs s, aggtransfn t, aggfinalfn t, "
    "aggcombinefn t, aggserialfn t, aggdeserialfn t, aggmtransfn t, aggminvtransfn t, "
    "aggmfinalfn t, aggfinalextra b, aggmfinalextra b, aggfinalmodify t, aggmfinalmodify t, "
    "aggsortop o, aggtranstype o, aggtransspace i, aggmtranstype o, aggmtransspace i, "
    "agginitval t, aggminitval t"
)
_OF_SYSTEM = "schemaname IN ('pg_catalog', 'information_schema')"
_STARTED = "_pg.fact('started')"

VIEWS = (
    shaped(
        _STAT_ALL_TABLES,
        {
            "relid": "r.oid",
            "schemaname": "r.schema",
            "relname": "r.name",
            "n_live_tup": "coalesce(s.counted, 0)",
        },
        "FROM _pg.relations r LEFT JOIN _pg.row_counts s USING (oid) WHERE r.form IN ('r', 'm')",
    ),
    "VIEW pg_stat_user_tables AS FROM _pg.pg_stat_all_tables",
    f"VIEW pg_stat_sys_tables AS FROM _pg.pg_stat_all_tables WHERE {_OF_SYSTEM}",
    shaped(
        _STATIO_ALL_TABLES,
        {"relid": "r.oid", "schemaname": "r.schema", "relname": "r.name"},
        "FROM _pg.relations r WHERE r.form IN ('r', 'm')",
    ),
    "VIEW pg_statio_user_tables AS FROM _pg.pg_statio_all_tables",
    f"VIEW pg_statio_sys_tables AS FROM _pg.pg_statio_all_tables WHERE {_OF_SYSTEM}",
    shaped(
        _STAT_DATABASE,
        {
            "datid": "d.oid",
            "datname": "d.datname",
            "numbackends": "coalesce(s.counted, 0)",
            # Every epoch is a transaction that was committed.
            "xact_commit": "CASE WHEN d.datname = _pg.current_database() THEN "
            "(SELECT epoch FROM _vs.epoch) ELSE 0 END",
            "stats_reset": _STARTED,
        },
        "FROM _pg.pg_database d LEFT JOIN (SELECT x.database AS name, count(*) AS counted FROM "
        f"{SESSIONS} GROUP BY ALL) s ON s.name = d.datname",
    ),
    shaped(_STAT_BGWRITER, {"stats_reset": _STARTED}, ""),
    shaped(_STAT_ARCHIVER, {"stats_reset": _STARTED}, ""),
    shaped(_STAT_WAL, {"stats_reset": _STARTED}, ""),
    shaped(
        _AGGREGATE,
        {
            "aggfnoid": "oid",
            "aggkind": "'n'",
            "aggnumdirectargs": "0",
            "aggtransfn": "'-'",
            "aggfinalfn": "'-'",
            "aggcombinefn": "'-'",
            "aggserialfn": "'-'",
            "aggdeserialfn": "'-'",
            "aggmtransfn": "'-'",
            "aggminvtransfn": "'-'",
            "aggmfinalfn": "'-'",
            "aggfinalextra": "false",
            "aggmfinalextra": "false",
            "aggfinalmodify": "'r'",
            "aggmfinalmodify": "'r'",
            "aggsortop": "0",
            "aggtranstype": "prorettype",
            "aggtransspace": "0",
            "aggmtranstype": "0",
            "aggmtransspace": "0",
        },
        "FROM _pg.pg_proc WHERE prokind = 'a'",
    ),
)
