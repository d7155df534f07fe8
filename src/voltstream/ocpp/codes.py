"""The error codes of CALLERROR, as each version spells them.

Source: OCPP-J 1.6 table 7 with errata 5.1 and 5.2 (1.6 keeps two misspelt codes), 2.0.1 and 2.1
part 4 table 8.
"""

from __future__ import annotations

from enum import Enum

from voltstream.ocpp.versions import Version


class Fault(Enum):
    """What is wrong with a message, named once for all versions."""

    NOT_READABLE = "not JSON"
    NOT_A_FRAME = "not an OCPP-J frame"
    BAD_MESSAGE_ID = "the message id is not a usable string"
    UNKNOWN_TYPE = "unknown message type"
    BAD_PAYLOAD = "the payload is not an object"
    UNKNOWN_ACTION = "unknown action"
    NOT_FOR_US = "this action is not for a central system"
    MISSING = "a required field is missing"
    WRONG_TYPE = "a field has another type"
    BAD_VALUE = "a value is outside of what is allowed"
    EXTRA = "a field is not known"
    NOT_ACCEPTED = "the charge point is not accepted yet"
    REUSED_ID = "the message id was used before with other content"
    INTERNAL = "the message could not be stored"


_V16 = {
    Fault.NOT_READABLE: "FormationViolation",
    Fault.NOT_A_FRAME: "ProtocolError",
    Fault.BAD_MESSAGE_ID: "FormationViolation",
    Fault.BAD_PAYLOAD: "FormationViolation",
    Fault.UNKNOWN_ACTION: "NotImplemented",
    Fault.NOT_FOR_US: "NotSupported",
    Fault.MISSING: "OccurenceConstraintViolation",
    Fault.WRONG_TYPE: "TypeConstraintViolation",
    Fault.BAD_VALUE: "PropertyConstraintViolation",
    Fault.EXTRA: "FormationViolation",
    Fault.NOT_ACCEPTED: "SecurityError",
    Fault.REUSED_ID: "ProtocolError",
    Fault.INTERNAL: "InternalError",
}
_V2 = _V16 | {
    Fault.NOT_READABLE: "FormatViolation",
    Fault.NOT_A_FRAME: "RpcFrameworkError",
    Fault.BAD_MESSAGE_ID: "FormatViolation",
    Fault.BAD_PAYLOAD: "FormatViolation",
    Fault.MISSING: "OccurrenceConstraintViolation",
    Fault.EXTRA: "FormatViolation",
    Fault.REUSED_ID: "RpcFrameworkError",
}
_V201 = _V2 | {Fault.UNKNOWN_TYPE: "MessageTypeNotSupported"}


def code(version: Version, fault: Fault, *, anonymous: bool = False) -> str | None:
    """Return the code of a fault; None: the version says to ignore it.

    ``anonymous``: no message id could be read, so the answer names "-1".
    """
    if version is Version.V16:
        return _V16.get(fault)
    if anonymous and fault is Fault.NOT_READABLE:
        return "RpcFrameworkError"
    return (_V201 if version is Version.V201 else _V2).get(fault)
