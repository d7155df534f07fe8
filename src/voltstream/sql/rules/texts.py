"""Functions of texts and bytes."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from voltstream.core.errors import FeatureNotSupported
from voltstream.core.types import Kind
from voltstream.sql.rules.output import output_text, printed
from voltstream.sql.rules.tree import (
    TEXTS,
    Call,
    Rule,
    array_of,
    call,
    cast,
    each,
    null,
    number,
    renamed,
    string_of,
    text,
)


def _texts(found: Call, first: int = 0) -> list[exp.Expression]:
    return [output_text(argument, found.type_of) for argument in found.arguments[first:]]


def _variadic(found: Call, first: int) -> exp.Expression | None:
    """Return the array of f(…, VARIADIC array), as texts."""
    last = found.arguments[-1] if len(found) > first else None
    if not isinstance(last, exp.Variadic):
        return None
    array: exp.Expression = last.this
    return cast(array, "VARCHAR[]")


def _concat(found: Call) -> exp.Expression:
    spread = _variadic(found, 0)
    if spread is not None:
        return call("array_to_string", spread, text(""))
    return call("concat", *_texts(found))


def _concat_ws(found: Call) -> exp.Expression:
    spread = _variadic(found, 1)
    if spread is not None:
        return call("_vs_array_to_string", spread, found[0])
    return call("concat_ws", *_texts(found))


def _format(found: Call) -> exp.Expression:
    spread = _variadic(found, 1)
    items = spread if spread is not None else cast(array_of(_texts(found, 1)), "VARCHAR[]")
    return call("_vs_format", found[0], items)


def _bytes(found: Call, index: int = 0) -> exp.Expression:
    """Return an argument as bytes: texts by their encoding, constants as bytea reads them."""
    argument = found[index]
    constant = string_of(argument)
    if constant is not None:
        return call("_vs_bytea", text(constant))
    return call("encode", argument) if found.kind(index) in TEXTS else argument


def _digest(found: Call) -> exp.Expression:
    return call("_vs_digest", _bytes(found), text(found.name))


def _length(found: Call) -> exp.Expression:
    if found.kind(0) is Kind.BYTEA:
        return cast(call("octet_length", found[0]), "INTEGER")
    return cast(call("length", found[0]), "INTEGER")


def _octet_length(found: Call) -> exp.Expression:
    if found.kind(0) is Kind.VARBIT:
        return cast(call("octet_length", found[0]), "INTEGER")
    name = "octet_length" if found.kind(0) is Kind.BYTEA else "strlen"
    return cast(call(name, found[0]), "INTEGER")


def _bit_length(found: Call) -> exp.Expression:
    if found.kind(0) is Kind.VARBIT:
        return _length(found)
    return cast(exp.Mul(this=_octet_length(found), expression=number(8)), "INTEGER")


def _to_hex(found: Call) -> exp.Expression:
    value = found[0]
    if found.kind(0) in (Kind.INT2, Kind.INT4):  # Negative numbers have 32 bits.
        masked = exp.BitwiseAnd(this=cast(value, "BIGINT"), expression=number(0xFFFFFFFF))
        value = exp.Paren(this=masked)
    return call("lower", call("to_hex", value))


def _substr(found: Call) -> exp.Expression:
    if len(found) == 2 and string_of(found[1]) is not None:
        return call("_vs_regexp_captured", found[0], found[1])
    source = found[0]
    if found.kind(0) is Kind.BYTEA:
        return call("_vs_substr_bytes", source, *found.arguments[1:])
    name = "_vs_substr" if len(found) == 2 else "_vs_substr_for"
    if found.kind(0) is Kind.VARBIT:
        return cast(call(name, cast(source, "VARCHAR"), *found.arguments[1:]), "BIT")
    return call(name, source, *found.arguments[1:])


def substring(found: Call) -> exp.Expression:
    """Rule of SUBSTRING(text FROM start FOR length) and of substring(text, pattern)."""
    length = found.node.args.get("length")
    if len(found) == 3 and length is not None and string_of(found[1]) is not None:
        raise FeatureNotSupported(
            "substring by an SQL pattern is not supported",
            hint="substring(text, pattern) takes a regular expression.",
        )
    return _substr(found)


def overlay(found: Call) -> exp.Expression:
    source, new, start = found.arguments[:3]
    length = found.get(3, call("length", new.copy()))
    return call("_vs_overlay", source, new, start, length)


def trim(found: Call) -> exp.Expression:
    """Rule of TRIM([LEADING | TRAILING | BOTH] characters FROM text)."""
    side = str(found.node.args.get("position") or "BOTH").upper()
    name = {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(side, "trim")
    return call(name, found[0], found.get(1, text(" ")))


def _trimmed(name: str) -> Rule:
    return lambda found: call(name, found[0], found.get(1, text(" ")))


def _padded(name: str) -> Rule:
    return lambda found: call(name, found[0], found[1], found.get(2, text(" ")))


def _position(found: Call) -> exp.Expression:
    if found.kind(0) is Kind.BYTEA:
        inside = call("strpos", call("hex", found[0]), call("hex", found[1]))
        return cast(call("_vs_hex_place", inside), "INTEGER")
    return cast(call("strpos", found[0], found[1]), "INTEGER")


def _regexp(name: str, *defaults: exp.Expression) -> Rule:
    """Return a rule that fills in the arguments nobody gave, texts and numbers alike."""
    return lambda found: call(
        name, *(found.get(i, d.copy()) for i, d in enumerate((null(), null(), *defaults)))
    )


def _regexp_replace(found: Call) -> exp.Expression:
    rest = found.arguments[3:]
    flags: exp.Expression = text("")
    if rest and (string_of(rest[-1]) is not None or found.type_of(rest[-1]).kind in TEXTS):
        flags, rest = rest[-1], rest[:-1]
    start = rest[0] if rest else number(1)
    nth = rest[1] if len(rest) > 1 else number(0)
    return call("_vs_regexp_replace", *found.arguments[:3], start, nth, flags)


def _regexp_count(found: Call) -> exp.Expression:
    start, flags = found.get(2, number(1)), found.get(3, text(""))
    return call("_vs_regexp_count", found[0], found[1], start, flags)


def _string_to_array(found: Call) -> exp.Expression:
    return call("_vs_split", found[0], found[1], found.get(2, cast(null(), "VARCHAR")))


def _left(found: Call) -> exp.Expression:
    return call(found.name, found[0], found[1])


def _encode(found: Call) -> exp.Expression:
    return call("_vs_encode", _bytes(found), found[1])


def _md5(found: Call) -> exp.Expression:
    return call("md5", found[0])


def _on_bytes(name: str, of_bits: str = "") -> Rule:
    """Return a rule of a function of bytes, and of its namesake of bits where the store has one."""

    def rule(found: Call) -> exp.Expression:
        if of_bits and found.kind(0) is Kind.VARBIT:
            return call(of_bits, *found.arguments)
        return call(name, _bytes(found), *found.arguments[1:])

    return rule


def _quote_literal(found: Call) -> exp.Expression:
    return call("_vs_quote_literal", output_text(found[0], found.type_of))


def _quote_nullable(found: Call) -> exp.Expression:
    return exp.Coalesce(this=_quote_literal(found), expressions=[text("NULL")])


def _hmac(found: Call) -> exp.Expression:
    return call("_vs_hmac", found[0], _bytes(found, 1), found[2])


def _ciphered(name: str) -> Rule:
    return lambda found: call(name, _bytes(found), _bytes(found, 1), found[2])


def _char_length(found: Call) -> exp.Expression:
    return cast(call("length", found[0]), "INTEGER")


def _ascii(found: Call) -> exp.Expression:
    return call("ascii", found[0])


def _starts(found: Call) -> exp.Expression:
    return call("starts_with", found[0], found[1])


def _repeat(found: Call) -> exp.Expression:
    return call("_vs_repeat", found[0], found[1])


def _chr(found: Call) -> exp.Expression:
    return call("_vs_chr", cast(found[0], "INTEGER"))


def _split_part(found: Call) -> exp.Expression:
    return call("_vs_split_part", *found.arguments)


def _bit_count(found: Call) -> exp.Expression:
    if found.kind(0) is Kind.VARBIT:
        return cast(call("bit_count", found[0]), "BIGINT")
    return call("_vs_bit_count", _bytes(found))


def _is_json(found: Call) -> exp.Expression:
    return call("_vs_is_json", found[0], found.get(1, text("")))


def array_to_string(found: Call) -> exp.Expression:
    """Rule of array_to_string and array_join: NULLs are left out unless they have a text."""
    from_type = found.type(0)
    texts = found[0]
    if from_type.kind not in TEXTS or from_type.array_depth > 1:
        texts = _element_texts(found)
    if len(found) > 2:
        return call("_vs_array_to_string_null", texts, found[1], found[2])
    return call("_vs_array_to_string", texts, found[1])


def _element_texts(found: Call) -> exp.Expression:
    outer = found.type(0)
    flat = found[0]
    for _ in range(outer.array_depth - 1):
        flat = call("flatten", flat)
    inner = replace(outer, array_depth=0)
    return each(flat, lambda element: printed(element, inner))


CALLS: dict[str, Rule] = {
    "concat": _concat, "concat_ws": _concat_ws, "format": _format, "length": _length,
    "char_length": _char_length, "character_length": _char_length, "octet_length": _octet_length,
    "bit_length": _bit_length, "to_hex": _to_hex, "substr": _substr, "substring": _substr,
    "overlay": overlay, "btrim": _trimmed("trim"), "trim": _trimmed("trim"),
    "ltrim": _trimmed("ltrim"), "rtrim": _trimmed("rtrim"), "lpad": _padded("_vs_lpad"),
    "rpad": _padded("_vs_rpad"), "strpos": _position, "position": _position,
    "regexp_match": _regexp("_vs_regexp_match", text("")),
    "regexp_matches": _regexp("_vs_regexp_matches", text("")),
    "regexp_replace": _regexp_replace, "regexp_count": _regexp_count,
    "regexp_split_to_array": _regexp("_vs_regexp_split", text("")),
    "regexp_split_to_table": _regexp("_vs_regexp_split", text("")),
    "regexp_like": _regexp("_vs_regexp_like", text("")),
    "regexp_substr": _regexp("_vs_regexp_substr", number(1), number(1), text(""), number(0)),
    "regexp_instr": _regexp(
        "_vs_regexp_instr", number(1), number(1), number(0), text(""), number(0)
    ),
    "string_to_array": _string_to_array, "string_to_table": _string_to_array, "left": _left,
    "right": _left, "encode": _encode, "decode": renamed("_vs_decode"), "md5": _md5,
    "sha1": _digest, "sha224": _digest, "sha256": _digest, "sha384": _digest, "sha512": _digest,
    "encrypt": _ciphered("_vs_encrypt"), "decrypt": _ciphered("_vs_decrypt"),
    "hmac": _hmac, "crc32": _on_bytes("_vs_crc32"), "crc32c": _on_bytes("_vs_crc32c"),
    "convert_from": _on_bytes("_vs_convert_from"), "convert_to": renamed("_vs_convert_to"),
    "get_byte": _on_bytes("_vs_get_byte"), "set_byte": _on_bytes("_vs_set_byte"),
    "get_bit": _on_bytes("_vs_get_bit", "get_bit"),
    "set_bit": _on_bytes("_vs_set_bit", "set_bit"),
    "bit_count": _bit_count, "initcap": renamed("_vs_initcap"), "quote_literal": _quote_literal,
    "quote_nullable": _quote_nullable, "quote_ident": renamed("_vs_quote_ident"),
    "ascii": _ascii, "chr": _chr, "starts_with": _starts, "repeat": _repeat,
    "split_part": _split_part, "casefold": renamed("_vs_casefold"),
    "to_ascii": renamed("_vs_to_ascii"), "is_json": _is_json,
    "unistr": renamed("_vs_unistr"),
    "int8send": renamed("_vs_int8send"), "int8recv": _on_bytes("_vs_int8recv"),
    "hex_to_int256": lambda found: cast(call("_vs_hex_integer", found[0]), "HUGEINT"),
    "inet_aton": renamed("_vs_inet_aton"), "inet_ntoa": renamed("_vs_inet_ntoa"),
    "parse_ident": lambda found: call(
        "_vs_parse_ident", found[0], found.get(1, exp.Boolean(this=True))
    ),
    "secure_compare": lambda found: exp.Paren(this=exp.EQ(this=found[0], expression=found[1])),
    "array_to_string": array_to_string,
}  # fmt: skip
