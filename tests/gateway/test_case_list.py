"""Every case that a central system must pass, and every bug seen elsewhere, has a test by name."""

from __future__ import annotations

import ast
from pathlib import Path

HERE = Path(__file__).parent
PARAMETERS = "test_certification_cases.py"


def numbered(prefix: str, *numbers: int) -> set[str]:
    return {f"TC_{prefix}_{number:02}" for number in numbers}


# The cases of OCPP 2.0.1 part 6 that need what a charger sends, and those of 1.6.
REQUIRED = (
    numbered("A", 1, 2, 3, 4, 6, 7, 8)
    | numbered("B", 1, 2, 30, 31, 6, 7, 9, 10, 12, 13, 20, 21, 22, 25, 26, 27)
    | numbered("C", 2, 6, 7, 8, 20, 37, 38, 39, 47, 48, 49)
    | numbered("E", 1, 2, 3, 4, 9, 10, 11, 12, 38, 7, 8, 14, 15, 16, 17, 19, 20, 21, 22, 26, 39)
    | numbered("E", 29, 30, 31, 33, 34, 53)
    | numbered("F", 1, 2, 3, 4, 6, 11, 12, 13, 14, 15, 18, 20, 23, 24, 27)
    | numbered("G", 3, 4, 5, 6, 7, 8, 11, 14, 17, 20)
    | numbered("J", 1, 2, 3, 4, 7, 8, 9, 10, 11)
    | numbered("L", *range(1, 12), 13)
    | numbered("N", 25, 34, 35, 36, 27, 28, 29, 30, 31, 32, 62)
    | numbered("P", 2, 3)
    | {"TC_M_SIGN"}
    | {f"TC_{number}" for number in (
        "001", "003", "004_1", "004_2", "005_1", "007", "023", "024", "032_1", "037_1", "037_3",
        "039", "044", "045", "064", "073", "074", "077", "078", "079", "080", "081", "083", "085",
        "086", "087", "088",
    )}
)  # fmt: skip
_TLS = "test_tls.py::test_tc_a_04_to_a_08_086_and_087_tls_and_client_certificates"
_BASIC = "test_gateway.py::test_tc_a_01_to_a_03_and_085_basic_authentication"
_BOOT = "test_standard_cases.py::test_tc_b_01_b_02_boot_is_answered_by_the_registry"
_TOKENS = "test_standard_cases.py::test_tc_c_02_to_c_07_and_023_tokens_of_the_list"
_VALUES = "test_standard_cases.py::test_tc_j_03_j_07_j_09_j_10_values_of_a_transaction"
_SIGNED = "test_standard_cases.py::test_tc_j_04_j_11_signed_values_are_kept_as_sent"
_VENDOR = "test_standard_cases.py::test_tc_p_02_and_064_data_of_an_unknown_vendor"
ELSEWHERE = {
    **dict.fromkeys(["TC_A_01", "TC_A_02", "TC_A_03", "TC_085"], _BASIC),
    **dict.fromkeys(["TC_A_04", "TC_A_06", "TC_A_07", "TC_A_08", "TC_086", "TC_087"], _TLS),
    **dict.fromkeys(["TC_B_01", "TC_B_02"], _BOOT),
    "TC_B_30": "test_gateway.py::test_tc_b_30_nothing_but_a_boot_before_acceptance",
    **dict.fromkeys(["TC_C_02", "TC_C_06", "TC_C_07", "TC_023"], _TOKENS),
    "TC_C_39": "test_standard_cases.py::test_tc_c_39_the_group_and_the_cache_are_told",
    "TC_E_53": "test_standard_cases.py::"
    "test_tc_e_53_sequence_numbers_begin_at_zero_for_each_transaction",
    "TC_G_20": "test_standard_cases.py::test_tc_g_20_lock_failure_is_an_event",
    "TC_J_01": "test_standard_cases.py::test_tc_j_01_clock_aligned_values_without_a_transaction",
    **dict.fromkeys(["TC_J_03", "TC_J_07", "TC_J_09", "TC_J_10"], _VALUES),
    **dict.fromkeys(["TC_J_04", "TC_J_11"], _SIGNED),
    "TC_J_08": "test_standard_cases.py::test_tc_j_08_begin_values_may_come_when_the_evse_is_known",
    **dict.fromkeys(["TC_P_02", "TC_064"], _VENDOR),
    "TC_P_03": "test_standard_cases.py::test_tc_p_03_custom_data_is_accepted",
    "TC_032_1": "test_standard_cases.py::test_032_power_loss_stops_the_transaction_after_the_boot",
    "TC_039": "test_standard_cases.py::test_039_an_offline_transaction_arrives_in_one_go",
    "TC_044": "test_standard_cases.py::test_tc_l_and_044_firmware_status",
    "TC_088": "test_gateway.py::"
    "test_088_without_a_common_subprotocol_the_handshake_ends_in_a_close",
}
# What went wrong for users of other central systems, and what must survive here.
_BUGS = "test_field_bugs.py::"
_EDGES = "test_edges.py::"
SEEN_ELSEWHERE = {
    "no energy in a batch set the total to 0": _BUGS
    + "test_a_batch_without_energy_does_not_mean_no_energy",
    "MeterValues of 2.x were linked to no transaction": _BUGS
    + "test_meter_values_of_2_belong_to_the_running_transaction",
    "MeterValues without a transactionId were dropped": _BUGS
    + "test_meter_values_of_16_without_a_transaction_are_linked_by_time",
    "a placeholder of 0 billed the whole register": _BUGS
    + "test_a_zero_at_the_start_after_a_reboot_is_a_placeholder",
    "an unknown transaction blocked the queue": _BUGS
    + "test_an_unknown_transaction_is_answered_and_its_end_is_kept",
    "duplicate starts": _BUGS + "test_a_repeated_start_gets_the_same_id_and_no_row",
    "several stops": _BUGS
    + "test_a_repeated_stop_leaves_one_row_and_a_different_one_is_a_conflict",
    "sessions never closed": _BUGS
    + "test_a_session_is_forgotten_when_its_connector_is_free_and_silent",
    "sessions never closed, in 2.x": _BUGS
    + "test_an_evse_has_one_transaction_so_the_next_ends_the_last",
    "offline records taken as live": _BUGS + "test_offline_events_do_not_touch_what_is_live",
    "samples relative to the session": _BUGS
    + "test_samples_that_count_the_session_while_the_boundary_counts_a_lifetime",
    "a register that moves after the stop": _BUGS + "test_a_register_that_creeps_on_after_the_stop",
    "transactionId of 64 bits while none runs": _BUGS + "test_samples_without_any_session_are_kept",
    "an object as DataTransfer.data killed the connection": _BUGS
    + "test_an_object_as_data_of_a_data_transfer",
    "a serial of 26 characters, an errorCode of nobody": _BUGS
    + "test_too_long_names_and_unknown_words_are_kept",
    "a bad context in an old queue": _BUGS + "test_one_bad_context_does_not_cost_the_queue",
    "ids given again": _BUGS + "test_ids_of_transactions_are_never_given_again",
    "two chargers with the same transaction id": _BUGS
    + "test_two_chargers_may_use_the_same_transaction_id",
    "a clock of 1970": _BUGS + "test_a_session_of_a_clock_that_was_never_set_has_its_length",
    "a clock set while messages wait": "test_clock_offset.py::"
    "test_what_waited_has_the_offset_of_before_the_clock_was_set",
    "clients that do what is odd and legal": "test_odd_clients.py::"
    "test_handshakes_and_frames_that_are_odd_and_legal",
    "leap seconds, year 9999, 24:00": _EDGES + "test_times_are_read_and_never_refused",
    "a kill between store and reply": "../crash/test_gateway_kill.py",
    "frames of any kind": "test_socket_fuzz.py::test_frames_that_end_a_connection",
    "ten thousand sessions with faults": "test_ledger_day.py::"
    "test_ten_thousand_sessions_with_every_fault",
}


def names_in(file: Path) -> set[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return {node.name for node in ast.walk(tree)
            if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")}  # fmt: skip


def parameters() -> set[str]:
    """Return the ids by which the tests of certification cases are called."""
    tree = ast.parse((HERE / PARAMETERS).read_text(encoding="utf-8"))
    texts = {node.value for node in ast.walk(tree)
             if isinstance(node, ast.Constant) and isinstance(node.value, str)}  # fmt: skip
    spelled = {text for text in texts if text.startswith("TC_") and text != "TC_"}
    made = numbered("L", *range(1, 12)) if "TC_L_" in spelled else set()
    places = numbered("G", 3, 4, 5, 6, 7, 8, 11, 14, 17) if "TC_G_" in spelled else set()
    return spelled | made | places


def test_every_case_has_a_test() -> None:
    known = parameters() | ELSEWHERE.keys()
    assert not REQUIRED - known, "cases without a test"


def test_every_test_that_is_named_exists() -> None:
    for where in {*ELSEWHERE.values(), *SEEN_ELSEWHERE.values()}:
        file, _, name = where.partition("::")
        found = names_in(HERE / file)
        assert found if not name else name in found, where
