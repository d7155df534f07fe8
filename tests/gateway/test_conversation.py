"""The answers of OCPP-J to what is no message, per version, and the laws of a conversation."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voltstream.ocpp import schemas
from voltstream.ocpp.codes import Fault, code
from voltstream.ocpp.conversation import (
    Conversation,
    Event,
    Ignored,
    Refusal,
    Repeat,
    Request,
    Response,
)
from voltstream.ocpp.quality import Quality
from voltstream.ocpp.versions import Version, negotiate

V16, V201, V21 = Version.V16, Version.V201, Version.V21
DEEP = "[" * 500 + "]" * 500


def talk(version: Version, *, strict: bool = False, accepted: bool = True) -> Conversation:
    return Conversation(version, strict=strict, accepted=accepted)


def error_of(event: Event) -> tuple[str, str] | None:
    """Return (message id, code) of a refusal; None when the message is passed over."""
    if isinstance(event, Ignored):
        return None
    assert isinstance(event, Refusal), event
    kind, message_id, name, description, details = json.loads(event.reply)
    assert (kind, details) == (4, {}) and len(description) <= 255
    return message_id, name


# What is received, the message id of the answer, and its code in 1.6, 2.0.1 and 2.1.
ODD_JSON = ("FormationViolation", "FormatViolation", "FormatViolation")
NO_FRAME = ("ProtocolError", "RpcFrameworkError", "RpcFrameworkError")
NO_TYPE = (None, "MessageTypeNotSupported", None)
MISSING = (
    "OccurenceConstraintViolation",
    "OccurrenceConstraintViolation",
    "OccurrenceConstraintViolation",
)
SILENCE = (None, None, None)
Codes = tuple[str | None, str | None, str | None]
TABLE: list[tuple[str, str, Codes]] = [
    ("", "-1", ("FormationViolation", "RpcFrameworkError", "RpcFrameworkError")),
    ('[2,"a","Heartb', "a", ODD_JSON),
    ('[2,"a","Heartbeat",{"x":NaN}]', "a", ODD_JSON),
    ('[2,"a","Heartbeat",{"x":Infinity}]', "a", ODD_JSON),
    ('[2,"a","Heartbeat",' + DEEP + "]", "a", ODD_JSON),
    ('[2,"a","Heartbeat",{"x":1,"x":2}]', "a", ODD_JSON),
    ('[2,"a","Heartbeat",{"x":' + "9" * 5000 + "}]", "a", ODD_JSON),
    ("{}", "-1", NO_FRAME),
    ('"text"', "-1", NO_FRAME),
    ("[]", "-1", NO_FRAME),
    ("[2]", "-1", NO_FRAME),
    ('[2,"a","Heartbeat"]', "a", NO_FRAME),
    ('[2,"a","Heartbeat",{},1]', "a", NO_FRAME),
    ('[2,"a",7,{}]', "a", NO_FRAME),
    ('[99,"a","Heartbeat",{}]', "a", NO_TYPE),
    ('["2","a","Heartbeat",{}]', "a", NO_TYPE),
    ('[2.5,"a","Heartbeat",{}]', "a", NO_TYPE),
    ('[true,"a","Heartbeat",{}]', "a", NO_TYPE),
    ('[5,"a","InternalError","",{}]', "a", NO_TYPE),
    ('[6,"a","NotifyPeriodicEventStream",{}]', "a", NO_TYPE),
    ('[2,17,"Heartbeat",{}]', "-1", ODD_JSON),
    ('[2,"a","Nonsense",{}]', "a", ("NotImplemented",) * 3),
    ('[2,"a","Reset",{}]', "a", ("NotSupported",) * 3),
    ('[2,"a","Heartbeat",[]]', "a", ODD_JSON),
    ('[2,"a","Heartbeat","x"]', "a", ODD_JSON),
    ('[2,"a","StatusNotification",{}]', "a", MISSING),
    ('[2,"a","StatusNotification",null]', "a", MISSING),
    ('[3,"nobody",{}]', "", SILENCE),
    ('[4,"nobody","GenericError","",{}]', "", SILENCE),
]


@pytest.mark.parametrize("row", TABLE, ids=[row[0][:40] for row in TABLE])
def test_malformed_input_gets_the_answer_of_its_version(row: tuple[str, str, Codes]) -> None:
    text, message_id, answers = row
    for version, answer in zip(Version, answers, strict=True):
        expected = None if answer is None else (message_id, answer)
        assert error_of(talk(version).receive(text)) == expected, version


def test_wrong_types_that_cannot_be_read_are_refused() -> None:
    text = (
        '[2,"a","StatusNotification",{"connectorId":[],"errorCode":"NoError","status":"Available"}]'
    )
    assert error_of(talk(V16).receive(text)) == ("a", "TypeConstraintViolation")


def test_long_message_ids() -> None:
    name = "x" * 200
    assert isinstance(talk(V16).receive(f'[2,"{name}","Heartbeat",{{}}]'), Request)
    assert error_of(talk(V201).receive(f'[2,"{name}","Heartbeat",{{}}]')) == (
        "-1",
        "FormatViolation",
    )


@pytest.mark.parametrize("version", list(Version))
def test_only_boot_is_taken_before_a_charger_is_accepted(version: Version) -> None:
    conversation = talk(version, accepted=False)
    refused = ("a", "SecurityError")
    assert error_of(conversation.receive('[2,"a","Heartbeat",{}]')) == refused
    conversation.triggered.add("Heartbeat")
    assert isinstance(conversation.receive('[2,"a","Heartbeat",{}]'), Request)
    assert error_of(conversation.receive('[2,"b","Heartbeat",{}]')) == ("b", "SecurityError")
    conversation.accepted = True
    assert isinstance(conversation.receive('[2,"c","Heartbeat",{}]'), Request)


def test_lenient_takes_what_it_can_and_flags_it() -> None:
    text = """[2,"a","MeterValues",{"connectorId":"1","transactionId":"12","extra":1,"meterValue":
      {"timestamp":"2026-01-01T00:00:00Z","sampledValue":[
        {"value":7.25,"measurand":"Energy.Bogus"},{"value":true},{"value":{"signed":1}}]}}]"""
    event = talk(V16).receive(text)
    assert isinstance(event, Request)
    assert event.payload["connectorId"] == 1
    assert event.payload["transactionId"] == 12
    first, second, third = event.payload["meterValue"][0]["sampledValue"]
    assert first == {"value": "7.25", "measurand": "Energy.Bogus"}
    assert second == {}
    assert third == {"value": '{"signed":1}'}
    expected = Quality.COERCED | Quality.EXTRA_FIELD | Quality.UNKNOWN_ENUM | Quality.MISSING_FIELD
    assert event.flags == expected
    assert error_of(talk(V16, strict=True).receive(text)) is not None


def test_strict_names_the_constraint() -> None:
    cases = {
        '{"connectorId":1,"errorCode":"Error","status":"Available"}': "PropertyConstraintViolation",
        '{"connectorId":1,"errorCode":"NoError","status":"Available","x":1}': "FormationViolation",
        '{"connectorId":"1","errorCode":"NoError","status":"Available"}': "TypeConstraintViolation",
    }
    for payload, name in cases.items():
        strict = talk(V16, strict=True).receive(f'[2,"a","StatusNotification",{payload}]')
        assert error_of(strict) == ("a", name)
        assert isinstance(talk(V16).receive(f'[2,"a","StatusNotification",{payload}]'), Request)


def test_custom_data_is_always_legal_in_2() -> None:
    text = '[2,"a","Heartbeat",{"customData":{"vendorId":"x","anything":1}}]'
    for version in (V201, V21):
        event = talk(version, strict=True).receive(text)
        assert isinstance(event, Request) and event.flags == Quality.OK


def test_text_that_utf8_cannot_hold_is_replaced() -> None:
    event = talk(V201).receive('[2,"a","DataTransfer",{"vendorId":"\\ud800\\u0000x"}]')
    assert isinstance(event, Request)
    assert event.payload["vendorId"] == "\ufffd\ufffdx"
    assert event.flags == Quality.COERCED


@pytest.mark.parametrize("version", list(Version))
def test_a_message_that_comes_again_gets_the_same_answer(version: Version) -> None:
    conversation = talk(version)
    text = '[2,"a","Heartbeat",{}]'
    request = conversation.receive(text)
    assert isinstance(request, Request)
    reply = conversation.answer(request, text, {"currentTime": "2026-01-01T00:00:00Z"})
    assert conversation.receive(text) == Repeat("a", reply)
    other = conversation.receive('[2,"a","DataTransfer",{"vendorId":"x"}]')
    if version is V16:
        assert isinstance(other, Request)
    else:
        assert error_of(other) == ("a", "RpcFrameworkError")


def test_one_call_of_ours_at_a_time_and_late_answers_are_passed_over() -> None:
    conversation = talk(V16)
    assert conversation.issue("1", "Reset", {"type": "Soft"}) == '[2,"1","Reset",{"type":"Soft"}]'
    with pytest.raises(RuntimeError):
        conversation.issue("2", "Reset", {"type": "Soft"})
    answer = conversation.receive('[3,"1",{"status":"Accepted"}]')
    assert answer == Response("1", "Reset", {"status": "Accepted"})
    assert isinstance(conversation.receive('[3,"1",{"status":"Accepted"}]'), Ignored)
    conversation.issue("3", "Reset", {"type": "Soft"})
    conversation.give_up()
    assert isinstance(conversation.receive('[3,"3",{"status":"Accepted"}]'), Ignored)
    conversation.issue("4", "Reset", {"type": "Soft"})
    refused = conversation.receive('[4,"4","NotSupported","",{}]')
    assert isinstance(refused, Response) and refused.error == "NotSupported"


def test_an_answer_that_is_none_is_told_in_21_only() -> None:
    for version in Version:
        conversation = talk(version)
        conversation.issue("1", "ClearCache", {})
        event = conversation.receive('[3,"1",{}]')
        assert isinstance(event, Response) and event.error == code(version, Fault.MISSING)
        assert (event.reply is not None) == (version is V21)


def test_a_send_is_never_answered() -> None:
    conversation = talk(V21)
    stream = {
        "id": 1,
        "data": [{"t": 0.5, "v": "230"}],
        "pending": 0,
        "basetime": "2026-01-01T00:00:00Z",
    }
    good = conversation.receive(json.dumps([6, "a", "NotifyPeriodicEventStream", stream]))
    assert isinstance(good, Request) and good.silent
    # The example of part 4: an ISO time in t, and no base time.
    example = {"id": 1, "data": [{"t": "2026-01-01T00:00:00Z", "v": "230"}]}
    odd = conversation.receive(json.dumps([6, "b", "NotifyPeriodicEventStream", example]))
    assert isinstance(odd, Request) and odd.payload["data"][0]["t"] == "2026-01-01T00:00:00Z"
    for text in ('[6,"c","Heartbeat",{}]', '[6,"d","NotifyPeriodicEventStream",{}]', '[6,"e"'):
        event = conversation.receive(text)
        assert isinstance(event, Ignored) or text == '[6,"e"'


def test_the_client_chooses_among_what_is_spoken() -> None:
    assert negotiate(["ocpp9", "ocpp2.1", "ocpp1.6"]) is V21
    assert negotiate(["ocpp1.6", "ocpp2.0.1"]) is V16
    assert negotiate(["ocpp1.5", "OCPP1.6"]) is None
    assert negotiate([]) is None


def test_every_action_of_a_charger_has_schemas() -> None:
    for version in Version:
        assert schemas.FROM_CHARGER[version] <= schemas.actions(version)
        for action in schemas.actions(version):
            assert schemas.request(version, action) is not None
            if action not in schemas.SENT:
                assert schemas.response(version, action) is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["status", "connectorId", "meterValue", "x", ""]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None)
@given(
    text=st.text(max_size=60)
    | json_values.map(json.dumps)
    | st.tuples(
        st.sampled_from([2, 3, 4, 5, 6, 7]),
        st.text(max_size=40) | st.integers(),
        st.sampled_from(sorted(schemas.actions(V21) | schemas.actions(V16))),
        json_values,
    ).map(json.dumps),
    version=st.sampled_from(list(Version)),
    strict=st.booleans(),
)
def test_any_text_gives_one_event_and_valid_json_back(
    text: str, version: Version, strict: bool
) -> None:
    event = talk(version, strict=strict).receive(text)
    if isinstance(event, Refusal):
        kind, message_id, name, description, details = json.loads(event.reply)
        assert kind == 4 and isinstance(message_id, str) and details == {}
        assert name in {code(version, fault) for fault in Fault} | {"RpcFrameworkError"}
        assert len(description) <= 255
        event.reply.encode()
    elif isinstance(event, Request):
        json.dumps(event.payload).encode()
