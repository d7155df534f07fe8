"""The public keys that chargers send with signed values: each meter keeps its first one.

A key that comes with what it signed proves nothing by itself; that it is another than before is
what somebody must look at (trust on first use).
"""

from __future__ import annotations

from voltstream.core.limits import OCPP_METER_KEYS_KEPT
from voltstream.ocpp import ocmf
from voltstream.ocpp.frames import Json
from voltstream.ocpp.quality import Quality


def pinned(known: dict[str, str], signed: Json) -> Quality:
    """Note the key of a meter that is new; tell of one that has another than at first.

    Shape: ``known`` is the first key by the meter's serial number. A value without a key, as many
    chargers send it once for each transaction, or of no readable meter says nothing.
    """
    key, data = signed.get("publicKey"), signed.get("signedMeterData")
    if not isinstance(key, str) or not key.strip() or not isinstance(data, str):
        return Quality.OK
    found = ocmf.parse(data)
    if found is None:
        return Quality.OK
    first = known.get(found.meter_serial)
    if first is None:
        if len(known) < OCPP_METER_KEYS_KEPT:
            known[found.meter_serial] = key
        return Quality.OK
    same = first == key or ocmf.key_bytes(first) == ocmf.key_bytes(key)
    return Quality.OK if same else Quality.PUBLIC_KEY_CHANGED
