"""Catalogs of things that do not exist here: there, with PostgreSQL's columns, and empty.

Source: PostgreSQL 15 manual, "System Catalogs", "System Views", "The Information Schema".
"""

from __future__ import annotations

from voltstream.store.pg_catalog.shape import empty

_CATALOG = (
    "pg_amop: oid o, amopfamily o, amoplefttype o, amoprighttype o, amopstrategy s, amoppurpose "
    "t, amopopr o, amopmethod o, amopsortfamily o",
    "pg_amproc: oid o, amprocfamily o, amproclefttype o, amprocrighttype o, amprocnum s, amproc t",
    "pg_available_extension_versions: name t, version t, installed b, superuser b, trusted b, "
    "relocatable b, schema t, requires tt, comment t",
    "pg_available_extensions: name t, default_version t, installed_version t, comment t",
    "pg_backend_memory_contexts: name t, ident t, parent t, level i, total_bytes l, "
    "total_nblocks l, free_bytes l, free_chunks l, used_bytes l",
    "pg_cast: oid o, castsource o, casttarget o, castfunc o, castcontext t, castmethod t",
    "pg_config: name t, setting t",
    "pg_conversion: oid o, conname t, connamespace o, conowner o, conforencoding i, "
    "contoencoding i, conproc t, condefault b",
    "pg_cursors: name t, statement t, is_holdable b, is_binary b, is_scrollable b, creation_time z",
    "pg_db_role_setting: setdatabase o, setrole o, setconfig tt",
    "pg_event_trigger: oid o, evtname t, evtevent t, evtowner o, evtfoid o, evtenabled t, "
    "evttags tt",
    "pg_extension: oid o, extname t, extowner o, extnamespace o, extrelocatable b, extversion "
    "t, extconfig oo, extcondition tt",
    "pg_file_settings: sourcefile t, sourceline i, seqno i, name t, setting t, applied b, error t",
    "pg_hba_file_rules: line_number i, type t, database tt, user_name tt, address t, netmask t, "
    "auth_method t, options tt, error t",
    "pg_ident_file_mappings: line_number i, map_name t, sys_name t, pg_username t, error t",
    "pg_inherits: inhrelid o, inhparent o, inhseqno i, inhdetachpending b",
    "pg_init_privs: objoid o, classoid o, objsubid i, privtype t, initprivs tt",
    "pg_largeobject: loid o, pageno i, data x",
    "pg_largeobject_metadata: oid o, lomowner o, lomacl tt",
    "pg_locks: locktype t, database o, relation o, page i, tuple s, virtualxid t, transactionid "
    "o, classid o, objid o, objsubid s, virtualtransaction t, pid i, mode t, granted b, "
    "fastpath b, waitstart z",
    "pg_operator: oid o, oprname t, oprnamespace o, oprowner o, oprkind t, oprcanmerge b, "
    "oprcanhash b, oprleft o, oprright o, oprresult o, oprcom o, oprnegate o, oprcode t, "
    "oprrest t, oprjoin t",
    "pg_parameter_acl: oid o, parname t, paracl tt",
    "pg_partitioned_table: partrelid o, partstrat t, partnatts s, partdefid o, partattrs ss, "
    "partclass oo, partcollation oo, partexprs t",
    "pg_policies: schemaname t, tablename t, policyname t, permissive t, roles tt, cmd t, qual "
    "t, with_check t",
    "pg_policy: oid o, polname t, polrelid o, polcmd t, polpermissive b, polroles oo, polqual "
    "t, polwithcheck t",
    "pg_prepared_statements: name t, statement t, prepare_time z, parameter_types tt, from_sql "
    "b, generic_plans l, custom_plans l",
    "pg_prepared_xacts: transaction o, gid t, prepared z, owner t, database t",
    "pg_publication_namespace: oid o, pnpubid o, pnnspid o",
    "pg_range: rngtypid o, rngsubtype o, rngmultitypid o, rngcollation o, rngsubopc o, "
    "rngcanonical t, rngsubdiff t",
    "pg_replication_origin: roident o, roname t",
    "pg_replication_origin_status: local_id o, external_id t, remote_lsn t, local_lsn t",
    "pg_replication_slots: slot_name t, plugin t, slot_type t, datoid o, database t, temporary "
    "b, active b, active_pid i, xmin o, catalog_xmin o, restart_lsn t, confirmed_flush_lsn t, "
    "wal_status t, safe_wal_size l, two_phase b",
    "pg_rules: schemaname t, tablename t, rulename t, definition t",
    "pg_seclabel: objoid o, classoid o, objsubid i, provider t, label t",
    "pg_seclabels: objoid o, classoid o, objsubid i, objtype t, objnamespace o, objname t, "
    "provider t, label t",
    "pg_sequence: seqrelid o, seqtypid o, seqstart l, seqincrement l, seqmax l, seqmin l, "
    "seqcache l, seqcycle b",
    "pg_sequences: schemaname t, sequencename t, sequenceowner t, data_type t, start_value l, "
    "min_value l, max_value l, increment_by l, cycle b, cache_size l, last_value l",
    "pg_shdepend: dbid o, classid o, objid o, objsubid i, refclassid o, refobjid o, deptype t",
    "pg_shdescription: objoid o, classoid o, description t",
    "pg_shmem_allocations: name t, off l, size l, allocated_size l",
    "pg_shseclabel: objoid o, classoid o, provider t, label t",
    "pg_stat_all_indexes: relid o, indexrelid o, schemaname t, relname t, indexrelname t, "
    "idx_scan l, idx_tup_read l, idx_tup_fetch l",
    "pg_stat_database_conflicts: datid o, datname t, confl_tablespace l, confl_lock l, "
    "confl_snapshot l, confl_bufferpin l, confl_deadlock l",
    "pg_stat_gssapi: pid i, gss_authenticated b, principal t, encrypted b",
    "pg_stat_progress_analyze: pid i, datid o, datname t, relid o, phase t, sample_blks_total "
    "l, sample_blks_scanned l, ext_stats_total l, ext_stats_computed l, child_tables_total l, "
    "child_tables_done l, current_child_table_relid o",
    "pg_stat_progress_basebackup: pid i, phase t, backup_total l, backup_streamed l, "
    "tablespaces_total l, tablespaces_streamed l",
    "pg_stat_progress_cluster: pid i, datid o, datname t, relid o, command t, phase t, "
    "cluster_index_relid o, heap_tuples_scanned l, heap_tuples_written l, heap_blks_total l, "
    "heap_blks_scanned l, index_rebuild_count l",
    "pg_stat_progress_copy: pid i, datid o, datname t, relid o, command t, type t, "
    "bytes_processed l, bytes_total l, tuples_processed l, tuples_excluded l",
    "pg_stat_progress_create_index: pid i, datid o, datname t, relid o, index_relid o, command "
    "t, phase t, lockers_total l, lockers_done l, current_locker_pid l, blocks_total l, "
    "blocks_done l, tuples_total l, tuples_done l, partitions_total l, partitions_done l",
    "pg_stat_progress_vacuum: pid i, datid o, datname t, relid o, phase t, heap_blks_total l, "
    "heap_blks_scanned l, heap_blks_vacuumed l, index_vacuum_count l, max_dead_tuples l, "
    "num_dead_tuples l",
    "pg_stat_recovery_prefetch: stats_reset z, prefetch l, hit l, skip_init l, skip_new l, "
    "skip_fpw l, skip_rep l, wal_distance i, block_distance i, io_depth i",
    "pg_stat_replication: pid i, usesysid o, usename t, application_name t, client_addr t, "
    "client_hostname t, client_port i, backend_start z, backend_xmin o, state t, sent_lsn t, "
    "write_lsn t, flush_lsn t, replay_lsn t, write_lag n, flush_lag n, replay_lag n, "
    "sync_priority i, sync_state t, reply_time z",
    "pg_stat_replication_slots: slot_name t, spill_txns l, spill_count l, spill_bytes l, "
    "stream_txns l, stream_count l, stream_bytes l, total_txns l, total_bytes l, stats_reset z",
    "pg_stat_slru: name t, blks_zeroed l, blks_hit l, blks_read l, blks_written l, blks_exists "
    "l, flushes l, truncates l, stats_reset z",
    "pg_stat_ssl: pid i, ssl b, version t, cipher t, bits i, client_dn t, client_serial d, "
    "issuer_dn t",
    "pg_stat_subscription: subid o, subname t, pid i, relid o, received_lsn t, "
    "last_msg_send_time z, last_msg_receipt_time z, latest_end_lsn t, latest_end_time z",
    "pg_stat_subscription_stats: subid o, subname t, apply_error_count l, sync_error_count l, "
    "stats_reset z",
    "pg_stat_sys_indexes: relid o, indexrelid o, schemaname t, relname t, indexrelname t, "
    "idx_scan l, idx_tup_read l, idx_tup_fetch l",
    "pg_stat_user_functions: funcid o, schemaname t, funcname t, calls l, total_time d, "
    "self_time d",
    "pg_stat_user_indexes: relid o, indexrelid o, schemaname t, relname t, indexrelname t, "
    "idx_scan l, idx_tup_read l, idx_tup_fetch l",
    "pg_stat_wal_receiver: pid i, status t, receive_start_lsn t, receive_start_tli i, "
    "written_lsn t, flushed_lsn t, received_tli i, last_msg_send_time z, last_msg_receipt_time "
    "z, latest_end_lsn t, latest_end_time z, slot_name t, sender_host t, sender_port i, "
    "conninfo t",
    "pg_stat_xact_all_tables: relid o, schemaname t, relname t, seq_scan l, seq_tup_read l, "
    "idx_scan l, idx_tup_fetch l, n_tup_ins l, n_tup_upd l, n_tup_del l, n_tup_hot_upd l",
    "pg_stat_xact_sys_tables: relid o, schemaname t, relname t, seq_scan l, seq_tup_read l, "
    "idx_scan l, idx_tup_fetch l, n_tup_ins l, n_tup_upd l, n_tup_del l, n_tup_hot_upd l",
    "pg_stat_xact_user_functions: funcid o, schemaname t, funcname t, calls l, total_time d, "
    "self_time d",
    "pg_stat_xact_user_tables: relid o, schemaname t, relname t, seq_scan l, seq_tup_read l, "
    "idx_scan l, idx_tup_fetch l, n_tup_ins l, n_tup_upd l, n_tup_del l, n_tup_hot_upd l",
    "pg_statio_all_indexes: relid o, indexrelid o, schemaname t, relname t, indexrelname t, "
    "idx_blks_read l, idx_blks_hit l",
    "pg_statio_all_sequences: relid o, schemaname t, relname t, blks_read l, blks_hit l",
    "pg_statio_sys_indexes: relid o, indexrelid o, schemaname t, relname t, indexrelname t, "
    "idx_blks_read l, idx_blks_hit l",
    "pg_statio_sys_sequences: relid o, schemaname t, relname t, blks_read l, blks_hit l",
    "pg_statio_user_indexes: relid o, indexrelid o, schemaname t, relname t, indexrelname t, "
    "idx_blks_read l, idx_blks_hit l",
    "pg_statio_user_sequences: relid o, schemaname t, relname t, blks_read l, blks_hit l",
    "pg_statistic: starelid o, staattnum s, stainherit b, stanullfrac f, stawidth i, "
    "stadistinct f, stakind1 s, stakind2 s, stakind3 s, stakind4 s, stakind5 s, staop1 o, "
    "staop2 o, staop3 o, staop4 o, staop5 o, stacoll1 o, stacoll2 o, stacoll3 o, stacoll4 o, "
    "stacoll5 o, stanumbers1 ff, stanumbers2 ff, stanumbers3 ff, stanumbers4 ff, stanumbers5 "
    "ff, stavalues1 tt, stavalues2 tt, stavalues3 tt, stavalues4 tt, stavalues5 tt",
    "pg_statistic_ext: oid o, stxrelid o, stxname t, stxnamespace o, stxowner o, stxstattarget "
    "i, stxkeys ss, stxkind tt, stxexprs t",
    "pg_statistic_ext_data: stxoid o, stxdinherit b, stxdndistinct t, stxddependencies t, "
    "stxdmcv t, stxdexpr tt",
    "pg_stats: schemaname t, tablename t, attname t, inherited b, null_frac f, avg_width i, "
    "n_distinct f, most_common_vals tt, most_common_freqs ff, histogram_bounds tt, correlation "
    "f, most_common_elems tt, most_common_elem_freqs ff, elem_count_histogram ff",
    "pg_stats_ext: schemaname t, tablename t, statistics_schemaname t, statistics_name t, "
    "statistics_owner t, attnames tt, exprs tt, kinds tt, inherited b, n_distinct t, "
    "dependencies t, most_common_vals tt, most_common_val_nulls bb, most_common_freqs dd, "
    "most_common_base_freqs dd",
    "pg_stats_ext_exprs: schemaname t, tablename t, statistics_schemaname t, statistics_name t, "
    "statistics_owner t, expr t, inherited b, null_frac f, avg_width i, n_distinct f, "
    "most_common_vals tt, most_common_freqs ff, histogram_bounds tt, correlation f, "
    "most_common_elems tt, most_common_elem_freqs ff, elem_count_histogram ff",
    "pg_subscription: oid o, subdbid o, subskiplsn t, subname t, subowner o, subenabled b, "
    "subbinary b, substream b, subtwophasestate t, subdisableonerr b, subconninfo t, "
    "subslotname t, subsynccommit t, subpublications tt",
    "pg_subscription_rel: srsubid o, srrelid o, srsubstate t, srsublsn t",
    "pg_transform: oid o, trftype o, trflang o, trffromsql t, trftosql t",
    "pg_trigger: oid o, tgrelid o, tgparentid o, tgname t, tgfoid o, tgtype s, tgenabled t, "
    "tgisinternal b, tgconstrrelid o, tgconstrindid o, tgconstraint o, tgdeferrable b, "
    "tginitdeferred b, tgnargs s, tgattr ss, tgargs t, tgqual t, tgoldtable t, tgnewtable t",
    "pg_ts_config: oid o, cfgname t, cfgnamespace o, cfgowner o, cfgparser o",
    "pg_ts_config_map: mapcfg o, maptokentype i, mapseqno i, mapdict o",
    "pg_ts_dict: oid o, dictname t, dictnamespace o, dictowner o, dicttemplate o, dictinitoption t",
    "pg_ts_parser: oid o, prsname t, prsnamespace o, prsstart t, prstoken t, prsend t, "
    "prsheadline t, prslextype t",
    "pg_ts_template: oid o, tmplname t, tmplnamespace o, tmplinit t, tmpllexize t",
    "pg_user_mapping: oid o, umuser o, umserver o, umoptions tt",
    "pg_user_mappings: umid o, srvid o, srvname t, umuser o, usename t, umoptions tt",
)
_INFORMATION = (
    "data_type_privileges: object_catalog t, object_schema t, object_name t, object_type t, "
    "dtd_identifier t",
    "element_types: object_catalog t, object_schema t, object_name t, object_type t, "
    "collection_type_identifier t, data_type t, character_maximum_length i, "
    "character_octet_length i, character_set_catalog t, character_set_schema t, "
    "character_set_name t, collation_catalog t, collation_schema t, collation_name t, "
    "numeric_precision i, numeric_precision_radix i, numeric_scale i, datetime_precision i, "
    "interval_type t, interval_precision i, domain_default t, udt_catalog t, udt_schema t, "
    "udt_name t, scope_catalog t, scope_schema t, scope_name t, maximum_cardinality i, "
    "dtd_identifier t",
    "sql_sizing: sizing_id i, sizing_name t, supported_value i, comments t",
    "_pg_foreign_data_wrappers: oid o, fdwowner o, fdwoptions tt, foreign_data_wrapper_catalog "
    "t, foreign_data_wrapper_name t, authorization_identifier t, foreign_data_wrapper_language "
    "t",
    "_pg_foreign_servers: oid o, srvoptions tt, foreign_server_catalog t, foreign_server_name "
    "t, foreign_data_wrapper_catalog t, foreign_data_wrapper_name t, foreign_server_type t, "
    "foreign_server_version t, authorization_identifier t",
    "_pg_foreign_table_columns: nspname t, relname t, attname t, attfdwoptions tt",
    "_pg_foreign_tables: foreign_table_catalog t, foreign_table_schema t, foreign_table_name t, "
    "ftoptions tt, foreign_server_catalog t, foreign_server_name t, authorization_identifier t",
    "_pg_user_mappings: oid o, umoptions tt, umuser o, authorization_identifier t, "
    "foreign_server_catalog t, foreign_server_name t, srvowner t",
    "attributes: udt_catalog t, udt_schema t, udt_name t, attribute_name t, ordinal_position i, "
    "attribute_default t, is_nullable t, data_type t, character_maximum_length i, "
    "character_octet_length i, character_set_catalog t, character_set_schema t, "
    "character_set_name t, collation_catalog t, collation_schema t, collation_name t, "
    "numeric_precision i, numeric_precision_radix i, numeric_scale i, datetime_precision i, "
    "interval_type t, interval_precision i, attribute_udt_catalog t, attribute_udt_schema t, "
    "attribute_udt_name t, scope_catalog t, scope_schema t, scope_name t, maximum_cardinality "
    "i, dtd_identifier t, is_derived_reference_attribute t",
    "check_constraint_routine_usage: constraint_catalog t, constraint_schema t, constraint_name "
    "t, specific_catalog t, specific_schema t, specific_name t",
    "column_column_usage: table_catalog t, table_schema t, table_name t, column_name t, "
    "dependent_column t",
    "column_domain_usage: domain_catalog t, domain_schema t, domain_name t, table_catalog t, "
    "table_schema t, table_name t, column_name t",
    "column_options: table_catalog t, table_schema t, table_name t, column_name t, option_name "
    "t, option_value t",
    "domain_constraints: constraint_catalog t, constraint_schema t, constraint_name t, "
    "domain_catalog t, domain_schema t, domain_name t, is_deferrable t, initially_deferred t",
    "domain_udt_usage: udt_catalog t, udt_schema t, udt_name t, domain_catalog t, domain_schema "
    "t, domain_name t",
    "domains: domain_catalog t, domain_schema t, domain_name t, data_type t, "
    "character_maximum_length i, character_octet_length i, character_set_catalog t, "
    "character_set_schema t, character_set_name t, collation_catalog t, collation_schema t, "
    "collation_name t, numeric_precision i, numeric_precision_radix i, numeric_scale i, "
    "datetime_precision i, interval_type t, interval_precision i, domain_default t, udt_catalog "
    "t, udt_schema t, udt_name t, scope_catalog t, scope_schema t, scope_name t, "
    "maximum_cardinality i, dtd_identifier t",
    "foreign_data_wrapper_options: foreign_data_wrapper_catalog t, foreign_data_wrapper_name t, "
    "option_name t, option_value t",
    "role_udt_grants: grantor t, grantee t, udt_catalog t, udt_schema t, udt_name t, "
    "privilege_type t, is_grantable t",
    "role_usage_grants: grantor t, grantee t, object_catalog t, object_schema t, object_name t, "
    "object_type t, privilege_type t, is_grantable t",
    "routine_column_usage: specific_catalog t, specific_schema t, specific_name t, "
    "routine_catalog t, routine_schema t, routine_name t, table_catalog t, table_schema t, "
    "table_name t, column_name t",
    "routine_routine_usage: specific_catalog t, specific_schema t, specific_name t, "
    "routine_catalog t, routine_schema t, routine_name t",
    "routine_sequence_usage: specific_catalog t, specific_schema t, specific_name t, "
    "routine_catalog t, routine_schema t, routine_name t, sequence_catalog t, sequence_schema "
    "t, sequence_name t",
    "routine_table_usage: specific_catalog t, specific_schema t, specific_name t, "
    "routine_catalog t, routine_schema t, routine_name t, table_catalog t, table_schema t, "
    "table_name t",
    "sequences: sequence_catalog t, sequence_schema t, sequence_name t, data_type t, "
    "numeric_precision i, numeric_precision_radix i, numeric_scale i, start_value t, "
    "minimum_value t, maximum_value t, increment t, cycle_option t",
    "sql_features: feature_id t, feature_name t, sub_feature_id t, sub_feature_name t, "
    "is_supported t, is_verified_by t, comments t",
    "sql_parts: feature_id t, feature_name t, is_supported t, is_verified_by t, comments t",
    "transforms: udt_catalog t, udt_schema t, udt_name t, specific_catalog t, specific_schema "
    "t, specific_name t, group_name t, transform_type t",
    "triggered_update_columns: trigger_catalog t, trigger_schema t, trigger_name t, "
    "event_object_catalog t, event_object_schema t, event_object_table t, event_object_column t",
    "triggers: trigger_catalog t, trigger_schema t, trigger_name t, event_manipulation t, "
    "event_object_catalog t, event_object_schema t, event_object_table t, action_order i, "
    "action_condition t, action_statement t, action_orientation t, action_timing t, "
    "action_reference_old_table t, action_reference_new_table t, action_reference_old_row t, "
    "action_reference_new_row t, created z",
    "udt_privileges: grantor t, grantee t, udt_catalog t, udt_schema t, udt_name t, "
    "privilege_type t, is_grantable t",
    "user_defined_types: user_defined_type_catalog t, user_defined_type_schema t, "
    "user_defined_type_name t, user_defined_type_category t, is_instantiable t, is_final t, "
    "ordering_form t, ordering_category t, ordering_routine_catalog t, ordering_routine_schema "
    "t, ordering_routine_name t, reference_type t, data_type t, character_maximum_length i, "
    "character_octet_length i, character_set_catalog t, character_set_schema t, "
    "character_set_name t, collation_catalog t, collation_schema t, collation_name t, "
    "numeric_precision i, numeric_precision_radix i, numeric_scale i, datetime_precision i, "
    "interval_type t, interval_precision i, source_dtd_identifier t, ref_dtd_identifier t",
    "user_mapping_options: authorization_identifier t, foreign_server_catalog t, "
    "foreign_server_name t, option_name t, option_value t",
    "user_mappings: authorization_identifier t, foreign_server_catalog t, foreign_server_name t",
    "view_column_usage: view_catalog t, view_schema t, view_name t, table_catalog t, "
    "table_schema t, table_name t, column_name t",
    "view_routine_usage: table_catalog t, table_schema t, table_name t, specific_catalog t, "
    "specific_schema t, specific_name t",
)


def catalog_views() -> tuple[str, ...]:
    """Return a view without rows for each catalog of things that cannot exist here."""
    return tuple(map(empty, _CATALOG))


def information_views() -> tuple[str, ...]:
    """Return the same for information_schema."""
    return tuple(map(empty, _INFORMATION))
