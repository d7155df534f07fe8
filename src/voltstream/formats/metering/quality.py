"""How good a value is: one word for what each format says in its own code.

Shape: MISSING < QUESTIONABLE < ESTIMATED < EDITED < ACTUAL < VALIDATED. Of several codes the
worst counts: a value that was edited and doubted is doubted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

RANKS: Mapping[str, int] = {
    "MISSING": 0,
    "QUESTIONABLE": 1,
    "ESTIMATED": 2,
    "EDITED": 3,
    "ACTUAL": 4,
    "VALIDATED": 5,
}
# Source: NAESB REQ.21, QualityOfReading.
_ESPI: Mapping[str, str] = {
    "0": "VALIDATED",
    "7": "EDITED",
    "8": "ESTIMATED",
    "9": "ESTIMATED",
    "10": "QUESTIONABLE",
    "11": "ESTIMATED",  # Derived, projected, mixed: not what a meter measured.
    "12": "ESTIMATED",
    "13": "ESTIMATED",
    "14": "ACTUAL",
    "15": "EDITED",
    "17": "VALIDATED",
    "18": "VALIDATED",
    "19": "VALIDATED",
}
# Source: AEMO, Meter Data File Format: the first letter of a quality method.
_NEM12: Mapping[str, str] = {
    "A": "VALIDATED",
    "F": "EDITED",
    "S": "ESTIMATED",
    "E": "ESTIMATED",
    "N": "MISSING",
}
_WORDS: Mapping[str, str] = {
    "a": "ACTUAL",
    "actual": "ACTUAL",
    "measured": "ACTUAL",
    "ok": "ACTUAL",
    "good": "ACTUAL",
    "raw": "ACTUAL",
    "r": "ACTUAL",
    "v": "VALIDATED",
    "valid": "VALIDATED",
    "validated": "VALIDATED",
    "verified": "VALIDATED",
    "e": "ESTIMATED",
    "est": "ESTIMATED",
    "estimated": "ESTIMATED",
    "s": "ESTIMATED",
    "substituted": "ESTIMATED",
    "edited": "EDITED",
    "f": "EDITED",
    "final": "EDITED",
    "m": "EDITED",
    "manual": "EDITED",
    "q": "QUESTIONABLE",
    "questionable": "QUESTIONABLE",
    "suspect": "QUESTIONABLE",
    "n": "MISSING",
    "null": "MISSING",
    "missing": "MISSING",
}


def espi(codes: Iterable[str]) -> str:
    """Return the word for codes of Green Button; without any the value is valid."""
    return _worst((_ESPI.get(code, "QUESTIONABLE") for code in codes), "VALIDATED")


def nem12(method: str) -> str:
    return _NEM12.get(method[:1].upper(), "QUESTIONABLE")


def iec61968(codes: Iterable[str]) -> str:
    """Return the word for codes ``system.category.index``; without any the value is as it came.

    Source: IEC 61968-9, annex on reading quality: category 5 reasonability, 7 edited,
    8 estimated, 4 and 2 conditions of the meter, 3 and 0 what is good.
    """
    return _worst((_iec_word(code) for code in codes), "ACTUAL")


def _iec_word(code: str) -> str:
    parts = code.split(".")
    system, category = parts[0], parts[1] if len(parts) > 1 else ""
    match category:
        case "0" | "3":
            return "VALIDATED" if system == "3" else "ACTUAL"
        case "5":
            return "QUESTIONABLE"
        case "7":
            return "EDITED"
        case "8" | "9" | "10" | "11":
            return "ESTIMATED"
        case _:  # A remark of the meter (power failed, clock set) on a value that it measured.
            return "ACTUAL"


def word(text: str, *, estimated: bool | None = None) -> str:
    """Return the word for what a record of fields says; nothing said means measured."""
    if estimated:
        return "ESTIMATED"
    said = text.strip().lower()
    if not said:
        return "ACTUAL"
    if said.upper() in RANKS:
        return said.upper()
    if said.count(".") == 2:
        return iec61968([said])
    return _WORDS.get(said, "QUESTIONABLE")


def _worst(found: Iterable[str], nothing: str) -> str:
    return min(found, key=RANKS.__getitem__, default=nothing)
