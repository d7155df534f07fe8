-- What the columns of sessions and energy mean.

COMMENT ON COLUMN active_sessions.charge_point_id IS 'The charge point';
COMMENT ON COLUMN active_sessions.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN active_sessions.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN active_sessions.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN active_sessions.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN active_sessions.id_tag IS 'The token that started it';
COMMENT ON COLUMN active_sessions.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN active_sessions.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN active_sessions.export_wh IS 'Energy exported (V2X), in Wh';
COMMENT ON COLUMN active_sessions.power_w IS 'Power of all phases in W; export is negative';
COMMENT ON COLUMN active_sessions.power_expected_w IS
    'What charger and car may take, in W: the least of offered and installed power';
COMMENT ON COLUMN active_sessions.soc_percent IS 'Latest state of charge, in percent';
COMMENT ON COLUMN active_sessions.charging_state IS
    'What the car does: of 2.x by the transaction, else by the connector';
COMMENT ON COLUMN active_sessions.last_sample_at IS
    'Latest sample of the energy register; the start while there is none';
COMMENT ON COLUMN active_sessions.power_at IS 'Instant of the latest power sample';
COMMENT ON COLUMN active_sessions.energy_at IS 'Instant of the last step that was energy';
COMMENT ON COLUMN active_sessions.gap_from IS 'Instant from which on the silence is a gap';
COMMENT ON COLUMN active_sessions.stuck_from IS 'Instant from which on the session is stuck';
COMMENT ON COLUMN active_sessions.low_power_from IS 'Instant from which on low power is an alert';
COMMENT ON COLUMN active_sessions.low_power IS
    'Whether it charges with less than low_power_share of what is expected';

COMMENT ON COLUMN energy_15min.charge_point_id IS 'The charge point';
COMMENT ON COLUMN energy_15min.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN energy_15min.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN energy_15min.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN energy_15min.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN energy_15min.time_zone IS 'Time zone of the site, UTC where none is known';
COMMENT ON COLUMN energy_15min.window_start IS 'Begin of the quarter of an hour';
COMMENT ON COLUMN energy_15min.window_end IS 'End of the quarter of an hour';
COMMENT ON COLUMN energy_15min.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN energy_15min.export_wh IS 'Energy exported (V2X), in Wh';
COMMENT ON COLUMN energy_15min.reading_count IS 'Samples of the import register in the window';
COMMENT ON COLUMN energy_15min.estimated IS
    'Whether a step of more than two sample intervals was cut at the window''s ends';
COMMENT ON COLUMN energy_15min.contiguous IS 'Not estimated';

COMMENT ON COLUMN energy_daily.charge_point_id IS 'The charge point';
COMMENT ON COLUMN energy_daily.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN energy_daily.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN energy_daily.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN energy_daily.day IS 'The day: of the site''s zone for energy, of UTC for uptime';
COMMENT ON COLUMN energy_daily.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN energy_daily.export_wh IS 'Energy exported (V2X), in Wh';
COMMENT ON COLUMN energy_daily.net_wh IS 'Import minus export, in Wh';
COMMENT ON COLUMN energy_daily.estimated_wh IS 'Energy of windows that are estimated, in Wh';

COMMENT ON COLUMN finished_sessions.charge_point_id IS 'The charge point';
COMMENT ON COLUMN finished_sessions.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN finished_sessions.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN finished_sessions.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN finished_sessions.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN finished_sessions.id_tag IS 'The token that started it';
COMMENT ON COLUMN finished_sessions.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN finished_sessions.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN finished_sessions.duration_s IS 'How long, in seconds';
COMMENT ON COLUMN finished_sessions.meter_start_wh IS 'meterStart: the register at the START, in Wh';
COMMENT ON COLUMN finished_sessions.meter_stop_wh IS 'meterStop: the register at the STOP, in Wh';
COMMENT ON COLUMN finished_sessions.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN finished_sessions.export_wh IS 'Energy exported (V2X), in Wh';
COMMENT ON COLUMN finished_sessions.net_wh IS 'Import minus export, in Wh';
COMMENT ON COLUMN finished_sessions.stop_reason IS 'Why it stopped, as the charge point said';
COMMENT ON COLUMN finished_sessions.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';
COMMENT ON COLUMN finished_sessions.doubtful_steps IS 'Steps at which the register began anew, turned over or jumped';
COMMENT ON COLUMN finished_sessions.first_sample_at IS 'First sample of the import register';
COMMENT ON COLUMN finished_sessions.last_sample_at IS
    'Latest sample of the energy register; the start while there is none';
COMMENT ON COLUMN finished_sessions.sample_interval IS 'How often a running session is to be sampled';
COMMENT ON COLUMN finished_sessions.gap_after IS 'Silence that is a gap';

COMMENT ON COLUMN fleet_energy_15min.window_start IS 'Begin of the quarter of an hour';
COMMENT ON COLUMN fleet_energy_15min.window_end IS 'End of the quarter of an hour';
COMMENT ON COLUMN fleet_energy_15min.energy_kwh IS 'Energy imported, in kWh';
COMMENT ON COLUMN fleet_energy_15min.export_kwh IS 'Energy exported (V2X), in kWh';
COMMENT ON COLUMN fleet_energy_15min.session_count IS 'Sessions in it';
COMMENT ON COLUMN fleet_energy_15min.gap_count IS 'Sessions whose window is estimated';

COMMENT ON COLUMN latest_samples.charge_point_id IS 'The charge point';
COMMENT ON COLUMN latest_samples.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN latest_samples.measurand IS 'The quantity, as OCPP names it';
COMMENT ON COLUMN latest_samples.sampled_at IS 'Instant of the sample, by the corrected clock';
COMMENT ON COLUMN latest_samples.value IS 'The value in SI units, all phases together';

COMMENT ON COLUMN register_steps.charge_point_id IS 'The charge point';
COMMENT ON COLUMN register_steps.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN register_steps.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN register_steps.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN register_steps.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN register_steps.time_zone IS 'Time zone of the site, UTC where none is known';
COMMENT ON COLUMN register_steps.exported IS 'Whether it is the export register';
COMMENT ON COLUMN register_steps.from_at IS 'The sample before';
COMMENT ON COLUMN register_steps.sampled_at IS 'Instant of the sample, by the corrected clock';
COMMENT ON COLUMN register_steps.from_wh IS 'The register before, in Wh';
COMMENT ON COLUMN register_steps.register_wh IS 'The register, in Wh';
COMMENT ON COLUMN register_steps.kind IS 'FIRST, OK, JITTER, RESET, ROLLOVER or IMPLAUSIBLE';
COMMENT ON COLUMN register_steps.delta_wh IS 'Accepted steps of the register, in Wh';
COMMENT ON COLUMN register_steps.step_ms IS 'Length of the step, in ms';
COMMENT ON COLUMN register_steps.sample_interval IS 'How often a running session is to be sampled';
COMMENT ON COLUMN register_steps.long IS 'Whether it is longer than two sample intervals';
COMMENT ON COLUMN register_steps.gap IS 'Whether it is longer than gap_after';

COMMENT ON COLUMN running_sessions.charge_point_id IS 'The charge point';
COMMENT ON COLUMN running_sessions.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN running_sessions.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN running_sessions.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN running_sessions.id_tag IS 'The token that started it';
COMMENT ON COLUMN running_sessions.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN running_sessions.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN running_sessions.superseded_at IS 'When another session began on its connector';
COMMENT ON COLUMN running_sessions.meter_start_wh IS 'meterStart: the register at the START, in Wh';
COMMENT ON COLUMN running_sessions.meter_stop_wh IS 'meterStop: the register at the STOP, in Wh';
COMMENT ON COLUMN running_sessions.stop_reason IS 'Why it stopped, as the charge point said';
COMMENT ON COLUMN running_sessions.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';
COMMENT ON COLUMN running_sessions.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN running_sessions.time_zone IS 'Time zone of the site, UTC where none is known';
COMMENT ON COLUMN running_sessions.power_max_w IS 'Installed power in W, of charge_points';
COMMENT ON COLUMN running_sessions.wh_per_ms_max IS 'Most energy a millisecond can carry, with a fifth to spare';
COMMENT ON COLUMN running_sessions.sample_interval IS 'How often a running session is to be sampled';
COMMENT ON COLUMN running_sessions.gap_after IS 'Silence that is a gap';
COMMENT ON COLUMN running_sessions.stuck_after IS 'Parameter of that name';
COMMENT ON COLUMN running_sessions.low_power_from IS 'Instant from which on low power is an alert';
COMMENT ON COLUMN running_sessions.low_power_share IS 'Parameter of that name';
COMMENT ON COLUMN running_sessions.low_power_soc_percent IS 'Parameter of that name';
COMMENT ON COLUMN running_sessions.charging_state IS
    'What the car does: of 2.x by the transaction, else by the connector';

COMMENT ON COLUMN sample_intervals.charge_point_id IS 'The charge point';
COMMENT ON COLUMN sample_intervals.sample_interval IS 'How often a running session is to be sampled';

COMMENT ON COLUMN session_charging_states.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_charging_states.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_charging_states.charging_state IS
    'What the car does: of 2.x by the transaction, else by the connector';
COMMENT ON COLUMN session_charging_states.since IS 'Since when';

COMMENT ON COLUMN session_phases.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_phases.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_phases.phases_used IS 'The most phases that it said to use: 1 or 2';

COMMENT ON COLUMN session_samples.phases_told IS 'How many of three phases were told';
COMMENT ON COLUMN session_samples.phases_value IS 'Their sum: the value where the session uses no more';
COMMENT ON COLUMN session_context.phases_used IS 'How many phases it uses, where it says one or two';
COMMENT ON COLUMN running_sessions.phases_used IS 'How many phases it uses, where it says one or two';
COMMENT ON COLUMN session_context.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_context.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_context.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN session_context.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN session_context.id_tag IS 'The token that started it';
COMMENT ON COLUMN session_context.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN session_context.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN session_context.superseded_at IS 'When another session began on its connector';
COMMENT ON COLUMN session_context.meter_start_wh IS 'meterStart: the register at the START, in Wh';
COMMENT ON COLUMN session_context.meter_stop_wh IS 'meterStop: the register at the STOP, in Wh';
COMMENT ON COLUMN session_context.stop_reason IS 'Why it stopped, as the charge point said';
COMMENT ON COLUMN session_context.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';
COMMENT ON COLUMN session_context.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN session_context.time_zone IS 'Time zone of the site, UTC where none is known';
COMMENT ON COLUMN session_context.power_max_w IS 'Installed power in W, of charge_points';
COMMENT ON COLUMN session_context.wh_per_ms_max IS 'Most energy a millisecond can carry, with a fifth to spare';
COMMENT ON COLUMN session_context.sample_interval IS 'How often a running session is to be sampled';
COMMENT ON COLUMN session_context.gap_after IS 'Silence that is a gap';
COMMENT ON COLUMN session_context.stuck_after IS 'Parameter of that name';
COMMENT ON COLUMN session_context.low_power_from IS 'Instant from which on low power is an alert';
COMMENT ON COLUMN session_context.low_power_share IS 'Parameter of that name';
COMMENT ON COLUMN session_context.low_power_soc_percent IS 'Parameter of that name';

COMMENT ON COLUMN session_energy.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_energy.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_energy.import_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN session_energy.export_wh IS 'Energy exported (V2X), in Wh';
COMMENT ON COLUMN session_energy.samples IS 'Samples that it rests on';
COMMENT ON COLUMN session_energy.doubtful_steps IS 'Steps at which the register began anew, turned over or jumped';
COMMENT ON COLUMN session_energy.first_sample_at IS 'First sample of the import register';
COMMENT ON COLUMN session_energy.last_sample_at IS
    'Latest sample of the energy register; the start while there is none';
COMMENT ON COLUMN session_energy.energy_at IS 'Instant of the last step that was energy';

COMMENT ON COLUMN session_places.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_places.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_places.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN session_places.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';

COMMENT ON COLUMN session_samples.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_samples.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_samples.measurand IS 'The quantity, as OCPP names it';
COMMENT ON COLUMN session_samples.sampled_at IS 'Instant of the sample, by the corrected clock';
COMMENT ON COLUMN session_samples.value IS 'The value in SI units, all phases together';
COMMENT ON COLUMN session_samples.boundary_value IS 'The value of a sample of Transaction.Begin or Transaction.End';

COMMENT ON COLUMN session_spans.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_spans.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_spans.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN session_spans.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN session_spans.id_tag IS 'The token that started it';
COMMENT ON COLUMN session_spans.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN session_spans.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN session_spans.superseded_at IS 'When another session began on its connector';
COMMENT ON COLUMN session_spans.meter_start_wh IS 'meterStart: the register at the START, in Wh';
COMMENT ON COLUMN session_spans.meter_stop_wh IS 'meterStop: the register at the STOP, in Wh';
COMMENT ON COLUMN session_spans.stop_reason IS 'Why it stopped, as the charge point said';
COMMENT ON COLUMN session_spans.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';

COMMENT ON COLUMN session_starts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_starts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_starts.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN session_starts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN session_starts.id_tag IS 'The token that started it';
COMMENT ON COLUMN session_starts.meter_start_wh IS 'meterStart: the register at the START, in Wh';
COMMENT ON COLUMN session_starts.started_at IS 'Start, by the corrected clock';

COMMENT ON COLUMN session_stops.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_stops.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_stops.stop_reason IS 'Why it stopped, as the charge point said';
COMMENT ON COLUMN session_stops.meter_stop_wh IS 'meterStop: the register at the STOP, in Wh';
COMMENT ON COLUMN session_stops.stopped_at IS 'Stop, by the corrected clock';

COMMENT ON COLUMN session_values.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_values.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_values.register_wh IS 'The register, in Wh';
COMMENT ON COLUMN session_values.register_at IS 'Instant of the latest register sample';
COMMENT ON COLUMN session_values.power_w IS 'Power of all phases in W; export is negative';
COMMENT ON COLUMN session_values.power_export_w IS 'Latest exported power, in W';
COMMENT ON COLUMN session_values.power_at IS 'Instant of the latest power sample';
COMMENT ON COLUMN session_values.power_offered_w IS 'Latest offered power, in W';
COMMENT ON COLUMN session_values.soc_percent IS 'Latest state of charge, in percent';

COMMENT ON COLUMN sessions.charge_point_id IS 'The charge point';
COMMENT ON COLUMN sessions.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN sessions.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN sessions.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN sessions.id_tag IS 'The token that started it';
COMMENT ON COLUMN sessions.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN sessions.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN sessions.superseded_at IS 'When another session began on its connector';
COMMENT ON COLUMN sessions.meter_start_wh IS 'meterStart: the register at the START, in Wh';
COMMENT ON COLUMN sessions.meter_stop_wh IS 'meterStop: the register at the STOP, in Wh';
COMMENT ON COLUMN sessions.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN sessions.export_wh IS 'Energy exported (V2X), in Wh';
COMMENT ON COLUMN sessions.stop_reason IS 'Why it stopped, as the charge point said';
COMMENT ON COLUMN sessions.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';

COMMENT ON COLUMN site_demand_15min.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN site_demand_15min.time_zone IS 'Time zone of the site, UTC where none is known';
COMMENT ON COLUMN site_demand_15min.window_start IS 'Begin of the quarter of an hour';
COMMENT ON COLUMN site_demand_15min.window_end IS 'End of the quarter of an hour';
COMMENT ON COLUMN site_demand_15min.import_kw IS 'Power imported, in kW';
COMMENT ON COLUMN site_demand_15min.export_kw IS 'Power exported (V2X), in kW';
COMMENT ON COLUMN site_demand_15min.net_kw IS 'Import minus export, in kW';
COMMENT ON COLUMN site_demand_15min.session_count IS 'Sessions in it';

COMMENT ON COLUMN site_load.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN site_load.active_sessions IS 'Sessions that run';
COMMENT ON COLUMN site_load.power_kw IS 'Net power, in kW';
COMMENT ON COLUMN site_load.energy_kwh IS 'Energy imported, in kWh';
COMMENT ON COLUMN site_load.import_kw IS 'Power imported, in kW';
COMMENT ON COLUMN site_load.export_kw IS 'Power exported (V2X), in kW';
COMMENT ON COLUMN site_load.limit_percent IS 'Net power as a share of the connection''s, in percent';

COMMENT ON COLUMN site_peaks.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN site_peaks.month IS 'First day of the month';
COMMENT ON COLUMN site_peaks.peak_kw IS 'Net power of that quarter of an hour, in kW';
COMMENT ON COLUMN site_peaks.peak_at IS 'Begin of that quarter of an hour';
COMMENT ON COLUMN site_peaks.session_count IS 'Sessions in it';
COMMENT ON COLUMN site_peaks.limit_percent IS 'Net power as a share of the connection''s, in percent';
