"""to_char of numbers, and to_number, which reads what it prints.

Source: PostgreSQL's manual, 9.8, "Template Patterns for Numeric Formatting".
"""

from __future__ import annotations

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

from voltstream.core.errors import FeatureNotSupported, InvalidText
from voltstream.core.native import NativeFunction

_TOKEN = re.compile(r'FM|TH|th|PR|SG|S|MI|PL|EEEE|RN|rn|L|V|[90.,DG]|"[^"]*"|.', re.DOTALL)
_ROMAN = (
    (1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
    (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"),
)  # fmt: skip
_ROMAN_MAX = 3999


def format_number(text: str, template: str) -> str:
    """Print a number by a template. Raises: InvalidText (22P02)."""
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise InvalidText(f'invalid input syntax for type numeric: "{text}"') from error
    tokens = _TOKEN.findall(template)
    fill = "FM" not in tokens
    if "RN" in tokens or "rn" in tokens:
        return _roman(value, fill=fill, upper="RN" in tokens)
    if "EEEE" in tokens:
        return _scientific(value, tokens, fill=fill)
    if "V" in tokens:  # The digits after it count the tens to multiply by.
        at = tokens.index("V")
        value = value.scaleb(sum(token in "90" for token in tokens[at:]))
        tokens = [*tokens[:at], *tokens[at + 1 :]]
    if not value.is_finite():
        return _no_number(value, tokens, fill=fill)
    return _decimal(value, tokens, fill=fill)


def _no_number(value: Decimal, tokens: list[str], *, fill: bool) -> str:
    """Print NaN in the places of the whole, and what is too long as signs of it."""
    before, after = _places(tokens)
    if value.is_infinite() or len(before) < len("NaN"):
        whole, fraction = "#" * len(before), "#" * len(after)
        below = value.is_infinite() and value.is_signed()
        return _laid_out(tokens, whole, fraction, negative=below, fill=fill)
    point = next((at for at, token in enumerate(tokens) if token in (".", "D")), len(tokens))
    first_zero = before.index("0") if "0" in before else len(before)
    padded = "NaN".rjust(len(before) - first_zero, "0").rjust(len(before))
    return _laid_out(tokens[:point], padded, "", negative=False, fill=fill)


def read_number(text: str, template: str) -> str:
    """Read a number by a template. Raises: InvalidText (22P02)."""
    tokens = _TOKEN.findall(template)
    for absent in ("RN", "rn", "EEEE", "V"):
        if absent in tokens:
            raise FeatureNotSupported(f'"{absent}" is not supported in to_number')
    digits = ""
    negative, rest = _sign_before(text.lstrip(), tokens)
    for token in tokens:
        if token in ("9", "0"):
            rest = rest.lstrip()
            if rest[:1].isdigit():
                digits, rest = digits + rest[0], rest[1:]
        elif token in (".", "D") and rest[:1] == ".":
            digits, rest = digits + ".", rest[1:]
        elif token in (",", "G") and rest[:1] == ",":
            rest = rest[1:]
        elif token == "L" and rest[:1] and not rest[0].isdigit():
            rest = rest[1:].lstrip()
        elif token in ("S", "SG", "MI", "PL", "PR"):
            negative = negative or rest.lstrip()[:1] == "-"
            rest = rest.lstrip().lstrip("+->")
    if not digits.strip("."):
        raise InvalidText(f'invalid input syntax for type numeric: "{text}"')
    return ("-" if negative else "") + digits


def _sign_before(text: str, tokens: list[str]) -> tuple[bool, str]:
    """Take a sign off the front of a number, or the angle that PR opens."""
    if text[:1] in "+-" and text:
        return text[0] == "-", text[1:]
    if "PR" in tokens and text[:1] == "<":
        return True, text[1:]
    return False, text


def _places(tokens: list[str]) -> tuple[list[str], list[str]]:
    """Cut the digit positions at the decimal point."""
    digits = [t for t in tokens if t in "90.D"]
    for index, token in enumerate(digits):
        if token in ".D":
            return digits[:index], digits[index + 1 :]
    return digits, []


def decimals(template: str) -> int:
    """Return how many digits a template has behind its point."""
    return len(_places(_TOKEN.findall(template))[1])


def _decimal(value: Decimal, tokens: list[str], *, fill: bool) -> str:
    before, after = _places(tokens)
    rounded = abs(value).quantize(Decimal(1).scaleb(-len(after)), rounding=ROUND_HALF_UP)
    whole, _, fraction = format(rounded, "f").partition(".")
    negative = value < 0 and rounded != 0
    if len(whole) > len(before) and whole != "0":
        whole, fraction = "#" * len(before), "#" * len(after)
    whole = whole if whole != "0" or "0" in before or not after else ""
    first_zero = before.index("0") if "0" in before else len(before)
    shown = max(len(whole), len(before) - first_zero)
    padded = whole.rjust(shown, "0").rjust(len(before))
    optional = len(after) - (max((i + 1 for i, t in enumerate(after) if t == "0"), default=0))
    if not fill and optional and "#" not in fraction:
        kept = fraction[: len(after) - optional] + fraction[len(after) - optional :].rstrip("0")
        fraction = kept
    return _laid_out(tokens, padded, fraction, negative=negative, fill=fill)


def _laid_out(tokens: list[str], whole: str, fraction: str, *, negative: bool, fill: bool) -> str:
    out: list[str] = []
    at, passed_point, signed = 0, False, False
    fraction_at = 0
    anchored = any(t in ("S", "SG", "MI", "PL", "PR") for t in tokens)
    sign_place: int | None = None
    for token in tokens:
        if token in ("9", "0"):
            if passed_point:
                out.append(fraction[fraction_at : fraction_at + 1])
                fraction_at += 1
            else:
                char = whole[at]
                if char != " " and sign_place is None:
                    sign_place = len(out)
                out.append(char)
                at += 1
        elif token in (".", "D"):
            if sign_place is None:
                sign_place = len(out)
            passed_point = True
            out.append(".")
        elif token in (",", "G"):
            out.append("," if whole[:at].strip() else " ")
        else:
            piece, is_sign = _mark(token, negative=negative)
            signed = signed or is_sign
            out.append(piece)
    text = "".join(out)
    if "S" in tokens:
        text = _with_sign(tokens, text, negative=negative)
    elif not anchored:
        lead = len(text) - len(text.lstrip(" "))
        text = " " * lead + ("-" if negative else " ") + text[lead:]
    elif "PR" in tokens:
        stripped = text.strip()
        text = f"<{stripped}>" if negative else f" {stripped} "
        text = text.rjust(len("".join(out)) + 2)
    return text if fill else text.replace(" ", "")


def _mark(token: str, *, negative: bool) -> tuple[str, bool]:
    match token:
        case "MI":
            return ("-" if negative else " "), True
        case "PL":
            return (" " if negative else "+"), True
        case "SG":
            return ("-" if negative else "+"), True
        case "FM" | "S" | "PR":
            return "", False
        case "L":
            return " ", False
        case _:
            return token.strip('"') if token.startswith('"') else token, False


def _with_sign(tokens: list[str], text: str, *, negative: bool) -> str:
    sign = "-" if negative else "+"
    if tokens[-1] == "S":
        return text + sign
    lead = len(text) - len(text.lstrip(" "))
    return " " * lead + sign + text[lead:]


def _scientific(value: Decimal, tokens: list[str], *, fill: bool) -> str:
    _, after = _places(tokens)
    if not value.is_finite():
        return ("" if not fill else " ") + "#." + "#" * (len(after) + 4)
    text = f"{value:.{len(after)}e}" if value else f"{0.0:.{len(after)}e}"
    mantissa, _, exponent = text.partition("e")
    sign = exponent[0] if exponent[0] in "+-" else "+"
    shown = f"{mantissa}e{sign}{int(exponent.lstrip('+-')):02}"
    return shown if value < 0 or not fill else " " + shown


def _roman(value: Decimal, *, fill: bool, upper: bool) -> str:
    number = int(value.to_integral_value(ROUND_HALF_UP)) if value.is_finite() else 0
    if not 0 < number <= _ROMAN_MAX:
        return "#" * 15
    out = ""
    for size, letters in _ROMAN:
        count, number = divmod(number, size)
        out += letters * count
    out = out if upper else out.lower()
    return out.rjust(15) if fill else out


_T = "VARCHAR"
NATIVES = (
    NativeFunction("_vs_to_char_number", (_T, _T), _T, format_number),
    NativeFunction("_vs_to_number", (_T, _T), _T, read_number),
)
