-- What the columns of charge points, gaps, billing, uptime, faults and rules mean.

COMMENT ON COLUMN billing_reconciliation.charge_point_id IS 'The charge point';
COMMENT ON COLUMN billing_reconciliation.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN billing_reconciliation.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN billing_reconciliation.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN billing_reconciliation.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN billing_reconciliation.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN billing_reconciliation.billed_wh IS 'Energy by the best evidence there is, in Wh';
COMMENT ON COLUMN billing_reconciliation.basis IS
    'What billed_wh rests on: BOUNDARY, START_STOP, REGISTER, INTERVAL, POWER, NONE';
COMMENT ON COLUMN billing_reconciliation.boundary_wh IS
    'Register at Transaction.End minus that at Transaction.Begin, in Wh';
COMMENT ON COLUMN billing_reconciliation.meter_wh IS 'meterStop minus meterStart, in Wh';
COMMENT ON COLUMN billing_reconciliation.delta_wh IS 'Accepted steps of the register, in Wh';
COMMENT ON COLUMN billing_reconciliation.interval_wh IS 'Sum of the *.Interval samples, in Wh';
COMMENT ON COLUMN billing_reconciliation.power_wh IS
    'Integral of the power in Wh; in the reconciliation only if it covers nine tenths of the session';
COMMENT ON COLUMN billing_reconciliation.power_samples IS 'Samples of power';
COMMENT ON COLUMN billing_reconciliation.missing_wh IS 'How far the register moved since the session before, in Wh';
COMMENT ON COLUMN billing_reconciliation.difference IS 'The first thing that does not agree; NONE when all does';
COMMENT ON COLUMN billing_reconciliation.outcome IS 'MATCHED, MINOR or DISPUTED';

COMMENT ON COLUMN calendar_days.day IS 'The day: of the site''s zone for energy, of UTC for uptime';

COMMENT ON COLUMN calibration_drift.charge_point_id IS 'The charge point';
COMMENT ON COLUMN calibration_drift.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN calibration_drift.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN calibration_drift.sessions IS 'Sessions counted';
COMMENT ON COLUMN calibration_drift.first_at IS 'The first instant of it';
COMMENT ON COLUMN calibration_drift.last_at IS 'The last instant of it';
COMMENT ON COLUMN calibration_drift.drift_percent IS
    'How far register energy is above that of power, in percent: the median';
COMMENT ON COLUMN calibration_drift.trend_percent_month IS 'Slope of the drift, in percent a month of 30 days';
COMMENT ON COLUMN calibration_drift.trend_low_percent_month IS 'Lower end of the slope''s interval of 95 %';
COMMENT ON COLUMN calibration_drift.trend_high_percent_month IS 'Upper end of the slope''s interval of 95 %';
COMMENT ON COLUMN calibration_drift.verdict IS 'STEADY, DRIFTING, DRIFTED or TOO_FEW';

COMMENT ON COLUMN calibration_samples.charge_point_id IS 'The charge point';
COMMENT ON COLUMN calibration_samples.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN calibration_samples.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN calibration_samples.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN calibration_samples.stopped_at IS 'Stop, by the corrected clock';
COMMENT ON COLUMN calibration_samples.day_number IS 'Days since 1970';
COMMENT ON COLUMN calibration_samples.ratio IS 'Register energy over integrated power';

COMMENT ON COLUMN charge_point_liveness.charge_point_id IS 'The charge point';
COMMENT ON COLUMN charge_point_liveness.site IS
    'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN charge_point_liveness.ever_seen IS 'Whether anything has come since it was registered';
COMMENT ON COLUMN charge_point_liveness.last_seen_at IS 'Last sign of life by our clock, else the registration';
COMMENT ON COLUMN charge_point_liveness.last_heartbeat_at IS 'Last Heartbeat by our clock';
COMMENT ON COLUMN charge_point_liveness.connected IS 'Whether a connection is open';
COMMENT ON COLUMN charge_point_liveness.offline_from IS 'Instant from which on it counts as offline';

COMMENT ON COLUMN charge_point_registry.charge_point_id IS 'The charge point';
COMMENT ON COLUMN charge_point_registry.valid_from IS 'From when it holds';
COMMENT ON COLUMN charge_point_registry.valid_to IS 'Until when it holds, exclusive; NULL while it does';
COMMENT ON COLUMN charge_point_registry.vendor IS 'Vendor, as the charge point said';
COMMENT ON COLUMN charge_point_registry.model IS 'Model, as the charge point said';
COMMENT ON COLUMN charge_point_registry.serial_number IS 'Serial number, as the charge point said';
COMMENT ON COLUMN charge_point_registry.firmware_version IS 'Firmware that ran at the time';
COMMENT ON COLUMN charge_point_registry.meter_serial_number IS 'Serial number of the meter, as the charge point said';
COMMENT ON COLUMN charge_point_registry.ocpp_version IS 'Version of OCPP';

COMMENT ON COLUMN charging_sites.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN charging_sites.time_zone IS 'Time zone of the site, UTC where none is known';
COMMENT ON COLUMN charging_sites.uptime_target_percent IS 'Uptime that was agreed, in percent';
COMMENT ON COLUMN charging_sites.power_limit_kw IS 'Power of the site''s connection, in kW';

COMMENT ON COLUMN connector_state.charge_point_id IS 'The charge point';
COMMENT ON COLUMN connector_state.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN connector_state.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN connector_state.status IS 'As the charge point said';
COMMENT ON COLUMN connector_state.error_code IS 'Error code, as the charge point said';
COMMENT ON COLUMN connector_state.vendor_error_code IS 'The vendor''s own error code';
COMMENT ON COLUMN connector_state.since IS 'Since when';

COMMENT ON COLUMN connector_timeline.charge_point_id IS 'The charge point';
COMMENT ON COLUMN connector_timeline.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN connector_timeline.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN connector_timeline.valid_from IS 'From when it holds';
COMMENT ON COLUMN connector_timeline.valid_to IS 'Until when it holds, exclusive; NULL while it does';
COMMENT ON COLUMN connector_timeline.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';
COMMENT ON COLUMN connector_timeline.class IS 'UP, DOWN or UNKNOWN';
COMMENT ON COLUMN connector_timeline.error_code IS 'Error code, as the charge point said';

COMMENT ON COLUMN connectors.charge_point_id IS 'The charge point';
COMMENT ON COLUMN connectors.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN connectors.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';

COMMENT ON COLUMN down_states.charge_point_id IS 'The charge point';
COMMENT ON COLUMN down_states.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN down_states.valid_from IS 'From when it holds';
COMMENT ON COLUMN down_states.valid_to IS 'Until when it holds, exclusive; NULL while it does';
COMMENT ON COLUMN down_states.state IS 'Faulted, Unavailable or Offline';
COMMENT ON COLUMN down_states.class IS 'UP, DOWN or UNKNOWN';
COMMENT ON COLUMN down_states.class_before IS 'Class of the state before';

COMMENT ON COLUMN excluded_daily.charge_point_id IS 'The charge point';
COMMENT ON COLUMN excluded_daily.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN excluded_daily.day IS 'The day: of the site''s zone for energy, of UTC for uptime';
COMMENT ON COLUMN excluded_daily.excluded_s IS 'Seconds of outage that are excluded';

COMMENT ON COLUMN expected_samples_15min.charge_point_id IS 'The charge point';
COMMENT ON COLUMN expected_samples_15min.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN expected_samples_15min.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN expected_samples_15min.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN expected_samples_15min.window_start IS 'Begin of the quarter of an hour';
COMMENT ON COLUMN expected_samples_15min.expected IS 'Samples that should have come';

COMMENT ON COLUMN fault_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN fault_alerts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN fault_alerts.error_code IS 'Error code, as the charge point said';
COMMENT ON COLUMN fault_alerts.vendor_error_code IS 'The vendor''s own error code';
COMMENT ON COLUMN fault_alerts.since IS 'Since when';

COMMENT ON COLUMN fault_codes.vendor IS 'Vendor, as the charge point said';
COMMENT ON COLUMN fault_codes.model IS 'Model, as the charge point said';
COMMENT ON COLUMN fault_codes.firmware_version IS 'Firmware that ran at the time';
COMMENT ON COLUMN fault_codes.error_code IS 'Error code, as the charge point said';
COMMENT ON COLUMN fault_codes.vendor_error_code IS 'The vendor''s own error code';
COMMENT ON COLUMN fault_codes.faults IS 'Faults of at least a second';
COMMENT ON COLUMN fault_codes.charge_points IS 'Charge points';
COMMENT ON COLUMN fault_codes.mttr_h IS 'Mean time to repair, in hours, of faults that have cleared';
COMMENT ON COLUMN fault_codes.last_fault_at IS 'Begin of the latest fault';

COMMENT ON COLUMN fault_episodes.charge_point_id IS 'The charge point';
COMMENT ON COLUMN fault_episodes.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN fault_episodes.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN fault_episodes.faulted_at IS 'When it became faulted';
COMMENT ON COLUMN fault_episodes.cleared_at IS 'When it was no longer faulted; NULL while it is';
COMMENT ON COLUMN fault_episodes.duration_s IS 'How long, in seconds';
COMMENT ON COLUMN fault_episodes.error_code IS 'Error code, as the charge point said';
COMMENT ON COLUMN fault_episodes.vendor_error_code IS 'The vendor''s own error code';
COMMENT ON COLUMN fault_episodes.vendor IS 'Vendor, as the charge point said';
COMMENT ON COLUMN fault_episodes.model IS 'Model, as the charge point said';
COMMENT ON COLUMN fault_episodes.firmware_version IS 'Firmware that ran at the time';

COMMENT ON COLUMN fault_statistics.charge_point_id IS 'The charge point';
COMMENT ON COLUMN fault_statistics.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN fault_statistics.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN fault_statistics.faults IS 'Faults of at least a second';
COMMENT ON COLUMN fault_statistics.open_faults IS 'Faults that have not cleared';
COMMENT ON COLUMN fault_statistics.up_h IS 'Hours up, of days that are over';
COMMENT ON COLUMN fault_statistics.mtbf_h IS 'Mean time between faults: hours up for each fault';
COMMENT ON COLUMN fault_statistics.mttr_h IS 'Mean time to repair, in hours, of faults that have cleared';
COMMENT ON COLUMN fault_statistics.last_fault_at IS 'Begin of the latest fault';

COMMENT ON COLUMN finished_samples.charge_point_id IS 'The charge point';
COMMENT ON COLUMN finished_samples.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN finished_samples.measurand IS 'The quantity, as OCPP names it';
COMMENT ON COLUMN finished_samples.sampled_at IS 'Instant of the sample, by the corrected clock';
COMMENT ON COLUMN finished_samples.value IS 'The value in SI units, all phases together';
COMMENT ON COLUMN finished_samples.boundary_value IS 'The value of a sample of Transaction.Begin or Transaction.End';
COMMENT ON COLUMN finished_samples.sample_interval IS 'How often a running session is to be sampled';

COMMENT ON COLUMN firmware_rollout.vendor IS 'Vendor, as the charge point said';
COMMENT ON COLUMN firmware_rollout.model IS 'Model, as the charge point said';
COMMENT ON COLUMN firmware_rollout.firmware_version IS 'Firmware that ran at the time';
COMMENT ON COLUMN firmware_rollout.charge_points IS 'Charge points';
COMMENT ON COLUMN firmware_rollout.share_percent IS 'Share of the model''s charge points, in percent';
COMMENT ON COLUMN firmware_rollout.updates_running IS 'Updates that were begun and have not ended';
COMMENT ON COLUMN firmware_rollout.updates_failed IS 'Updates whose last word is a failure';
COMMENT ON COLUMN firmware_rollout.first_at IS 'The first instant of it';
COMMENT ON COLUMN firmware_rollout.latest_at IS 'Last time that a charge point came to it';

COMMENT ON COLUMN fleet_reliability.vendor IS 'Vendor, as the charge point said';
COMMENT ON COLUMN fleet_reliability.model IS 'Model, as the charge point said';
COMMENT ON COLUMN fleet_reliability.firmware_version IS 'Firmware that ran at the time';
COMMENT ON COLUMN fleet_reliability.sessions IS 'Sessions counted';
COMMENT ON COLUMN fleet_reliability.faults IS 'Faults of at least a second';
COMMENT ON COLUMN fleet_reliability.faults_per_1000_sessions IS 'Faults for each 1,000 sessions';
COMMENT ON COLUMN fleet_reliability.success_percent IS 'Share of sessions with 0.1 kWh or a minute, in percent';

COMMENT ON COLUMN gap_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN gap_alerts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN gap_alerts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN gap_alerts.gap_start IS 'Last sample before the silence, else the start';
COMMENT ON COLUMN gap_alerts.since IS 'Since when';

COMMENT ON COLUMN last_seen.charge_point_id IS 'The charge point';
COMMENT ON COLUMN last_seen.last_seen_at IS 'Last sign of life by our clock, else the registration';
COMMENT ON COLUMN last_seen.last_heartbeat_at IS 'Last Heartbeat by our clock';

COMMENT ON COLUMN latest_boots.charge_point_id IS 'The charge point';
COMMENT ON COLUMN latest_boots.vendor IS 'Vendor, as the charge point said';
COMMENT ON COLUMN latest_boots.model IS 'Model, as the charge point said';
COMMENT ON COLUMN latest_boots.serial_number IS 'Serial number, as the charge point said';
COMMENT ON COLUMN latest_boots.firmware_version IS 'Firmware that ran at the time';
COMMENT ON COLUMN latest_boots.booted_at IS 'When it last started';

COMMENT ON COLUMN latest_firmware_jobs.charge_point_id IS 'The charge point';
COMMENT ON COLUMN latest_firmware_jobs.status IS 'As the charge point said';
COMMENT ON COLUMN latest_firmware_jobs.request_id IS 'Number of the request that began it';
COMMENT ON COLUMN latest_firmware_jobs.reported_at IS 'When it was said, by the corrected clock';
COMMENT ON COLUMN latest_firmware_jobs.failed IS 'Whether that is a failure';

COMMENT ON COLUMN latest_links.charge_point_id IS 'The charge point';
COMMENT ON COLUMN latest_links.changed_at IS 'When it changed';
COMMENT ON COLUMN latest_links.online IS 'Whether it was connected from then on';

COMMENT ON COLUMN link_changes.charge_point_id IS 'The charge point';
COMMENT ON COLUMN link_changes.changed_at IS 'When it changed';
COMMENT ON COLUMN link_changes.online IS 'Whether it was connected from then on';

COMMENT ON COLUMN low_power_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN low_power_alerts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN low_power_alerts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN low_power_alerts.power_w IS 'Power of all phases in W; export is negative';
COMMENT ON COLUMN low_power_alerts.power_expected_w IS
    'What charger and car may take, in W: the least of offered and installed power';
COMMENT ON COLUMN low_power_alerts.since IS 'Since when';

COMMENT ON COLUMN meter_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN meter_alerts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN meter_alerts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN meter_alerts.since IS 'Since when';
COMMENT ON COLUMN meter_alerts.detail IS 'What is the matter';

COMMENT ON COLUMN metering_coverage_15min.charge_point_id IS 'The charge point';
COMMENT ON COLUMN metering_coverage_15min.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN metering_coverage_15min.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN metering_coverage_15min.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN metering_coverage_15min.window_start IS 'Begin of the quarter of an hour';
COMMENT ON COLUMN metering_coverage_15min.window_end IS 'End of the quarter of an hour';
COMMENT ON COLUMN metering_coverage_15min.expected IS 'Samples that should have come';
COMMENT ON COLUMN metering_coverage_15min.seen IS 'Samples that came';
COMMENT ON COLUMN metering_coverage_15min.coverage IS 'Share of the expected samples that came';

COMMENT ON COLUMN metering_gaps.charge_point_id IS 'The charge point';
COMMENT ON COLUMN metering_gaps.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN metering_gaps.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN metering_gaps.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN metering_gaps.gap_start IS 'Last sample before the silence, else the start';
COMMENT ON COLUMN metering_gaps.gap_end IS 'First sample behind the silence, else the stop';
COMMENT ON COLUMN metering_gaps.samples_missing IS 'Samples that should have come in between';
COMMENT ON COLUMN metering_gaps.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN metering_gaps.energy_lost IS 'Whether the register does not span the gap';

COMMENT ON COLUMN missing_energy.charge_point_id IS 'The charge point';
COMMENT ON COLUMN missing_energy.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN missing_energy.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN missing_energy.started_at IS 'Start, by the corrected clock';
COMMENT ON COLUMN missing_energy.transaction_before IS 'The session before on the same connector';
COMMENT ON COLUMN missing_energy.missing_wh IS 'How far the register moved since the session before, in Wh';

COMMENT ON COLUMN nevi_outages.charge_point_id IS 'The charge point';
COMMENT ON COLUMN nevi_outages.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN nevi_outages.outage_start IS 'When the outage began';
COMMENT ON COLUMN nevi_outages.outage_end IS 'When it ended; NULL while it lasts';
COMMENT ON COLUMN nevi_outages.outage_min IS 'Minutes of outage';
COMMENT ON COLUMN nevi_outages.states IS 'States that it went through';
COMMENT ON COLUMN nevi_outages.error_codes IS 'Error codes that came with it';
COMMENT ON COLUMN nevi_outages.excluded_from IS 'From when time is excluded';
COMMENT ON COLUMN nevi_outages.excluded_to IS 'Until when time is excluded';
COMMENT ON COLUMN nevi_outages.reason IS
    'Why it is excluded: UTILITY, VEHICLE, MAINTENANCE, VANDALISM, DISASTER, CLOSED_HOURS';
COMMENT ON COLUMN nevi_outages.evidence IS 'What proves it';
COMMENT ON COLUMN nevi_outages.author IS 'Who says so';

COMMENT ON COLUMN nevi_uptime.charge_point_id IS 'The charge point';
COMMENT ON COLUMN nevi_uptime.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN nevi_uptime.month IS 'First day of the month';
COMMENT ON COLUMN nevi_uptime.months IS 'Months that the figures rest on, at most twelve';
COMMENT ON COLUMN nevi_uptime.outage_min IS 'Minutes of outage';
COMMENT ON COLUMN nevi_uptime.excluded_min IS 'Minutes of outage that are excluded';
COMMENT ON COLUMN nevi_uptime.unknown_min IS 'Minutes before the first status';
COMMENT ON COLUMN nevi_uptime.period_min IS 'Minutes that the uptime is reckoned over, at most 525,600';
COMMENT ON COLUMN nevi_uptime.partial IS 'Whether there are less than twelve months';
COMMENT ON COLUMN nevi_uptime.uptime_percent IS 'Uptime in percent';
COMMENT ON COLUMN nevi_uptime.compliant IS 'Whether it is above the target';

COMMENT ON COLUMN offline_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN offline_alerts.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN offline_alerts.last_seen_at IS 'Last sign of life by our clock, else the registration';
COMMENT ON COLUMN offline_alerts.since IS 'Since when';
COMMENT ON COLUMN offline_alerts.detail IS 'What is the matter';

COMMENT ON COLUMN open_metering_gaps.charge_point_id IS 'The charge point';
COMMENT ON COLUMN open_metering_gaps.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN open_metering_gaps.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN open_metering_gaps.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN open_metering_gaps.gap_start IS 'Last sample before the silence, else the start';
COMMENT ON COLUMN open_metering_gaps.opened_at IS 'When the limit was passed';

COMMENT ON COLUMN outage_exclusions.charge_point_id IS 'The charge point';
COMMENT ON COLUMN outage_exclusions.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN outage_exclusions.outage_start IS 'When the outage began';
COMMENT ON COLUMN outage_exclusions.exclusion_id IS 'The exclusion';
COMMENT ON COLUMN outage_exclusions.reason IS
    'Why it is excluded: UTILITY, VEHICLE, MAINTENANCE, VANDALISM, DISASTER, CLOSED_HOURS';
COMMENT ON COLUMN outage_exclusions.evidence IS 'What proves it';
COMMENT ON COLUMN outage_exclusions.author IS 'Who says so';
COMMENT ON COLUMN outage_exclusions.excluded_from IS 'From when time is excluded';
COMMENT ON COLUMN outage_exclusions.excluded_to IS 'Until when time is excluded';

COMMENT ON COLUMN outages.charge_point_id IS 'The charge point';
COMMENT ON COLUMN outages.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN outages.outage_start IS 'When the outage began';
COMMENT ON COLUMN outages.outage_end IS 'When it ended; NULL while it lasts';
COMMENT ON COLUMN outages.states IS 'States that it went through';
COMMENT ON COLUMN outages.error_codes IS 'Error codes that came with it';

COMMENT ON COLUMN port_changes.charge_point_id IS 'The charge point';
COMMENT ON COLUMN port_changes.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN port_changes.at IS 'The instant';
COMMENT ON COLUMN port_changes.state IS 'Up, Faulted, Unavailable, Offline or Unknown';

COMMENT ON COLUMN port_states.charge_point_id IS 'The charge point';
COMMENT ON COLUMN port_states.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN port_states.at IS 'The instant';
COMMENT ON COLUMN port_states.state IS 'Up, Faulted, Unavailable, Offline or Unknown';

COMMENT ON COLUMN port_timeline.charge_point_id IS 'The charge point';
COMMENT ON COLUMN port_timeline.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN port_timeline.valid_from IS 'From when it holds';
COMMENT ON COLUMN port_timeline.valid_to IS 'Until when it holds, exclusive; NULL while it does';
COMMENT ON COLUMN port_timeline.state IS 'Up, Faulted, Unavailable, Offline or Unknown';
COMMENT ON COLUMN port_timeline.class IS 'UP, DOWN or UNKNOWN';

COMMENT ON COLUMN power_steps.charge_point_id IS 'The charge point';
COMMENT ON COLUMN power_steps.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN power_steps.sampled_at IS 'Instant of the sample, by the corrected clock';
COMMENT ON COLUMN power_steps.power_w IS 'Power of all phases in W; export is negative';
COMMENT ON COLUMN power_steps.step_ms IS 'Length of the step, in ms';
COMMENT ON COLUMN power_steps.energy_wh IS 'Energy imported, in Wh';

COMMENT ON COLUMN clock_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN clock_alerts.offset_s IS 'What must be added to its times, in seconds';
COMMENT ON COLUMN clock_alerts.since IS 'When it last said its state, by our clock';
COMMENT ON COLUMN clock_alerts.detail IS 'CLOCK_UNSET, CLOCK_TZ or CLOCK_SKEW';

COMMENT ON COLUMN stop_conflict_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN stop_conflict_alerts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN stop_conflict_alerts.connector_id IS 'The connector, where it was told';
COMMENT ON COLUMN stop_conflict_alerts.meter_wh IS 'Register of the end that does not count, in Wh';
COMMENT ON COLUMN stop_conflict_alerts.since IS 'When that end came, by our clock';

COMMENT ON COLUMN identity_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN identity_alerts.replaced IS 'How often its connection was replaced within ten minutes';
COMMENT ON COLUMN identity_alerts.since IS 'When it was last';

COMMENT ON COLUMN security_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN security_alerts.type IS 'Type of the event';
COMMENT ON COLUMN security_alerts.tech_info IS 'What the charge point added';
COMMENT ON COLUMN security_alerts.since IS 'Since when';

COMMENT ON COLUMN session_boundaries.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_boundaries.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_boundaries.boundary_wh IS
    'Register at Transaction.End minus that at Transaction.Begin, in Wh';

COMMENT ON COLUMN session_edges.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_edges.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN session_edges.at IS 'The instant';
COMMENT ON COLUMN session_edges.in_session IS 'Whether a session runs from then on';

COMMENT ON COLUMN session_intervals.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_intervals.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_intervals.interval_wh IS 'Sum of the *.Interval samples, in Wh';

COMMENT ON COLUMN session_power.charge_point_id IS 'The charge point';
COMMENT ON COLUMN session_power.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN session_power.power_wh IS
    'Integral of the power in Wh; in the reconciliation only if it covers nine tenths of the session';
COMMENT ON COLUMN session_power.samples IS 'Samples that it rests on';
COMMENT ON COLUMN session_power.power_w_max IS 'Greatest power, in W';
COMMENT ON COLUMN session_power.covered_ms IS 'Time that the integral covers, in ms';

COMMENT ON COLUMN site_sla.site IS 'The site of charge_points; NULL for a charge point that is not listed';
COMMENT ON COLUMN site_sla.month IS 'First day of the month';
COMMENT ON COLUMN site_sla.ports IS 'Ports counted';
COMMENT ON COLUMN site_sla.outage_min IS 'Minutes of outage';
COMMENT ON COLUMN site_sla.excluded_min IS 'Minutes of outage that are excluded';
COMMENT ON COLUMN site_sla.uptime_percent IS 'Uptime in percent';
COMMENT ON COLUMN site_sla.target_percent IS 'Uptime that was agreed, in percent';
COMMENT ON COLUMN site_sla.met IS 'Whether it was reached';

COMMENT ON COLUMN status_changes.charge_point_id IS 'The charge point';
COMMENT ON COLUMN status_changes.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN status_changes.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN status_changes.changed_at IS 'When it changed';
COMMENT ON COLUMN status_changes.status IS 'As the charge point said';
COMMENT ON COLUMN status_changes.error_code IS 'Error code, as the charge point said';
COMMENT ON COLUMN status_changes.vendor_error_code IS 'The vendor''s own error code';
COMMENT ON COLUMN status_changes.status_before IS 'The status before';

COMMENT ON COLUMN status_points.charge_point_id IS 'The charge point';
COMMENT ON COLUMN status_points.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN status_points.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN status_points.reported_at IS 'When it was said, by the corrected clock';
COMMENT ON COLUMN status_points.status IS 'As the charge point said';
COMMENT ON COLUMN status_points.error_code IS 'Error code, as the charge point said';
COMMENT ON COLUMN status_points.vendor_error_code IS 'The vendor''s own error code';

COMMENT ON COLUMN stuck_session_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN stuck_session_alerts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN stuck_session_alerts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN stuck_session_alerts.energy_wh IS 'Energy imported, in Wh';
COMMENT ON COLUMN stuck_session_alerts.since IS 'Since when';

COMMENT ON COLUMN timeline_changes.charge_point_id IS 'The charge point';
COMMENT ON COLUMN timeline_changes.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN timeline_changes.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN timeline_changes.at IS 'The instant';
COMMENT ON COLUMN timeline_changes.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';
COMMENT ON COLUMN timeline_changes.error_code IS 'Error code, as the charge point said';

COMMENT ON COLUMN timeline_points.charge_point_id IS 'The charge point';
COMMENT ON COLUMN timeline_points.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN timeline_points.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN timeline_points.at IS 'The instant';

COMMENT ON COLUMN timeline_states.charge_point_id IS 'The charge point';
COMMENT ON COLUMN timeline_states.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN timeline_states.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN timeline_states.at IS 'The instant';
COMMENT ON COLUMN timeline_states.state IS
    'The state: of a connector Available to Faulted, Offline or Unknown; of a session FINISHED, RUNNING, ABANDONED, ORPHAN_STOP or UNKNOWN_START';
COMMENT ON COLUMN timeline_states.error_code IS 'Error code, as the charge point said';

COMMENT ON COLUMN uptime_daily.charge_point_id IS 'The charge point';
COMMENT ON COLUMN uptime_daily.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN uptime_daily.day IS 'The day: of the site''s zone for energy, of UTC for uptime';
COMMENT ON COLUMN uptime_daily.up_s IS 'Seconds up';
COMMENT ON COLUMN uptime_daily.down_s IS 'Seconds down';
COMMENT ON COLUMN uptime_daily.offline_s IS 'Seconds down for want of a connection';
COMMENT ON COLUMN uptime_daily.faulted_s IS 'Seconds faulted';
COMMENT ON COLUMN uptime_daily.unknown_s IS 'Seconds before the first status';
COMMENT ON COLUMN uptime_daily.excluded_s IS 'Seconds of outage that are excluded';
COMMENT ON COLUMN uptime_daily.uptime_percent IS 'Uptime in percent';

COMMENT ON COLUMN uptime_exclusions.exclusion_id IS 'The exclusion';
COMMENT ON COLUMN uptime_exclusions.charge_point_id IS 'The charge point';
COMMENT ON COLUMN uptime_exclusions.evse_id IS 'The EVSE; of 1.6 the connector''s number; NULL: all of them';
COMMENT ON COLUMN uptime_exclusions.excluded_from IS 'From when time is excluded';
COMMENT ON COLUMN uptime_exclusions.excluded_to IS 'Until when time is excluded';
COMMENT ON COLUMN uptime_exclusions.reason IS
    'Why it is excluded: UTILITY, VEHICLE, MAINTENANCE, VANDALISM, DISASTER, CLOSED_HOURS';
COMMENT ON COLUMN uptime_exclusions.evidence IS 'What proves it';
COMMENT ON COLUMN uptime_exclusions.author IS 'Who says so';

COMMENT ON COLUMN uptime_monthly.charge_point_id IS 'The charge point';
COMMENT ON COLUMN uptime_monthly.evse_id IS 'The EVSE; of 1.6 the connector''s number';
COMMENT ON COLUMN uptime_monthly.month IS 'First day of the month';
COMMENT ON COLUMN uptime_monthly.days IS 'Days counted';
COMMENT ON COLUMN uptime_monthly.up_min IS 'Minutes up';
COMMENT ON COLUMN uptime_monthly.outage_min IS 'Minutes of outage';
COMMENT ON COLUMN uptime_monthly.excluded_min IS 'Minutes of outage that are excluded';
COMMENT ON COLUMN uptime_monthly.unknown_min IS 'Minutes before the first status';

COMMENT ON COLUMN public_key_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN public_key_alerts.connector_id IS 'The connector whose meter signs';
COMMENT ON COLUMN public_key_alerts.public_key IS 'The key that is not the first one';
COMMENT ON COLUMN public_key_alerts.since IS 'When it first came';

COMMENT ON COLUMN queued_after_boot.charge_point_id IS 'The charge point';
COMMENT ON COLUMN queued_after_boot.queued_until IS 'When the last such message came, by our clock';

COMMENT ON COLUMN zombie_session_alerts.charge_point_id IS 'The charge point';
COMMENT ON COLUMN zombie_session_alerts.transaction_id IS 'The transaction, unique within its charge point';
COMMENT ON COLUMN zombie_session_alerts.connector_id IS
    'The connector; 0 is the whole charge point, NULL when 2.x names an EVSE only';
COMMENT ON COLUMN zombie_session_alerts.energy_wh IS 'Energy imported until then, in Wh';
COMMENT ON COLUMN zombie_session_alerts.last_heard_at IS 'The last that is known of the session';
COMMENT ON COLUMN zombie_session_alerts.booted_at IS 'The first boot after that, by our clock';
COMMENT ON COLUMN zombie_session_alerts.since IS 'When its time to go on was over';
