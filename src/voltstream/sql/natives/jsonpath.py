"""SQL/JSON paths: read and evaluated over jsonb values.

Source: PostgreSQL's manual, 9.16.2 "The SQL/JSON Path Language".
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from voltstream.core.errors import InvalidParameter, InvalidText
from voltstream.core.native import NativeFunction
from voltstream.sql.natives.expression import IGNORECASE, Expression
from voltstream.sql.natives.json_values import Json, json_type, read_json, write_json
from voltstream.sql.natives.jsonb import same

_TOKEN = re.compile(
    r'\s*(?:(?P<string>"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)'
    r"|(?P<variable>\$[A-Za-z_]\w*)|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<mark>\*\*|==|!=|<>|<=|>=|&&|\|\||[$@.*\[\](){}?,<>!+\-/%]))"
)


class _Failure(Exception):
    """A step that strict mode does not allow; a filter takes it for unknown."""


@dataclass
class _Context:
    root: Json
    variables: dict[str, Json]
    lax: bool
    lengths: list[int] = field(default_factory=list)


Values = list[Json]
_Step = Callable[[_Context, Values], Values]
_Test = Callable[[_Context, Json], "bool | None"]


@dataclass(frozen=True)
class Path:
    """A compiled path: ``predicate`` paths give one truth value."""

    lax: bool
    evaluate: Callable[[_Context, Json], Values]

    def values(self, root: Json, variables: dict[str, Json], *, silent: bool = False) -> Values:
        """Raises: InvalidParameter when the path does not fit, unless ``silent``."""
        try:
            return self.evaluate(_Context(root, variables, self.lax), root)
        except _Failure as failure:
            if silent:
                return []
            raise InvalidParameter(str(failure)) from failure


@lru_cache(maxsize=256)
def compile_path(text: str) -> Path:
    """Raises: InvalidText (22P02)."""
    return _Parser(text).path()


class _Parser:
    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[tuple[str, str]] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            found = _TOKEN.match(stripped, at)
            if not found or found.lastgroup is None:
                raise self._fault()
            self.tokens.append((found.lastgroup, found[found.lastgroup]))
            at = found.end()
        self.at = 0

    def _fault(self) -> InvalidText:
        return InvalidText(f'invalid input syntax for type jsonpath: "{self.text}"')

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _accept(self, *marks: str) -> str:
        kind = self.tokens[self.at][0] if self.at < len(self.tokens) else ""
        if kind in ("mark", "word") and self._peek() in marks:
            self.at += 1
            return self.tokens[self.at - 1][1]
        return ""

    def _expect(self, mark: str) -> None:
        if not self._accept(mark):
            raise self._fault()

    def path(self) -> Path:
        mode = self._accept("lax", "strict")
        evaluate = self._expression()
        if self.at != len(self.tokens):
            raise self._fault()
        return Path(mode != "strict", evaluate)

    def _expression(self) -> Callable[[_Context, Json], Values]:
        start = self.at
        try:
            test = self._or()
        except _NotPredicate:
            self.at = start
            return self._sum()
        return lambda context, item: [test(context, item)]

    # --- predicates -----------------------------------------------------------------------------

    def _or(self) -> _Test:
        tests = [self._and()]
        while self._accept("||"):
            tests.append(self._and())
        return tests[0] if len(tests) == 1 else _any_of(tests)

    def _and(self) -> _Test:
        tests = [self._not()]
        while self._accept("&&"):
            tests.append(self._not())
        return tests[0] if len(tests) == 1 else _all_of(tests)

    def _not(self) -> _Test:
        if self._accept("!"):
            inner = self._not()
            return lambda context, item: _negated(inner(context, item))
        if self._accept("exists"):
            self._expect("(")
            path = self._sum()
            self._expect(")")
            return _exists(path)
        if self._peek() == "(":
            start = self.at
            self.at += 1
            try:
                test = self._or()
                if self._accept(")"):
                    if self._accept("is"):
                        self._expect("unknown")
                        return lambda context, item: test(context, item) is None
                    return test
            except _NotPredicate:
                pass
            self.at = start
        return self._comparison()

    def _comparison(self) -> _Test:
        left = self._sum()
        comparison = self._accept("==", "!=", "<>", "<=", ">=", "<", ">")
        if comparison:
            return _compared(left, comparison, self._sum())
        if self._accept("starts"):
            self._expect("with")
            prefix = self._sum()
            return _matched(left, lambda context, item: _starts(item, prefix(context, item)))
        if self._accept("like_regex"):
            pattern = read_json(self.tokens[self.at][1])
            self.at += 1
            flags = ""
            if self._accept("flag"):
                flags = read_json(self.tokens[self.at][1])
                self.at += 1
            return _searched(left, Expression(pattern, IGNORECASE if "i" in flags else 0))
        raise _NotPredicate

    # --- values ---------------------------------------------------------------------------------

    def _sum(self) -> Callable[[_Context, Json], Values]:
        left = self._product()
        while sign := self._accept("+", "-"):
            left = _arithmetic(left, sign, self._product())
        return left

    def _product(self) -> Callable[[_Context, Json], Values]:
        left = self._unary()
        while sign := self._accept("*", "/", "%"):
            left = _arithmetic(left, sign, self._unary())
        return left

    def _unary(self) -> Callable[[_Context, Json], Values]:
        if self._accept("-"):
            inner = self._unary()
            return lambda context, item: [-_as_number(v) for v in inner(context, item)]
        if self._accept("+"):
            return self._unary()
        return self._accessors()

    def _accessors(self) -> Callable[[_Context, Json], Values]:
        start = self._primary()
        steps: list[_Step] = []
        while True:
            if self._accept("."):
                steps.append(self._member())
            elif self._accept("["):
                steps.append(self._subscript())
            elif self._accept("?"):
                self._expect("(")
                test = self._or()
                self._expect(")")
                steps.append(_filter(test))
            else:
                break

        def evaluate(context: _Context, item: Json) -> Values:
            values = start(context, item)
            for step in steps:
                values = step(context, values)
            return values

        return evaluate

    def _primary(self) -> Callable[[_Context, Json], Values]:
        if self.at >= len(self.tokens):
            raise self._fault()
        kind, text = self.tokens[self.at]
        self.at += 1
        if text == "$":
            return lambda context, item: [context.root]
        if text == "@":
            return lambda context, item: [item]
        if text == "(":
            inner = self._expression()
            self._expect(")")
            return inner
        if kind == "variable":
            return _variable(text[1:])
        if kind in ("number", "string") or text in ("true", "false", "null"):
            constant = read_json(text)
            return lambda context, item: [constant]
        if text == "last":
            return lambda context, item: [context.lengths[-1] - 1]
        self.at -= 1
        raise self._fault()

    def _member(self) -> _Step:
        kind, text = self.tokens[self.at] if self.at < len(self.tokens) else ("", "")
        self.at += 1
        if text == "*":
            return _wildcard
        if text == "**":
            return _descend
        if kind == "string":
            return _key(read_json(text))
        if kind != "word":
            raise self._fault()
        if self._peek() == "(":
            self.at += 1
            self._expect(")")
            return _method(text, self._fault())
        return _key(text)

    def _subscript(self) -> _Step:
        if self._accept("*"):
            self._expect("]")
            return _every
        ranges = []
        while True:
            low = self._sum()
            ranges.append((low, self._sum() if self._accept("to") else None))
            if not self._accept(","):
                break
        self._expect("]")
        return _indexed(ranges)


class _NotPredicate(Exception):
    """The text is a value path, not a comparison."""


def _any_of(tests: list[_Test]) -> _Test:
    def test(context: _Context, item: Json) -> bool | None:
        found = [one(context, item) for one in tests]
        return True if True in found else None if None in found else False

    return test


def _all_of(tests: list[_Test]) -> _Test:
    def test(context: _Context, item: Json) -> bool | None:
        found = [one(context, item) for one in tests]
        return False if False in found else None if None in found else True

    return test


def _negated(value: bool | None) -> bool | None:
    return None if value is None else not value


def _exists(path: Callable[[_Context, Json], Values]) -> _Test:
    def test(context: _Context, item: Json) -> bool | None:
        try:
            return bool(path(context, item))
        except _Failure:
            return None

    return test


def _unwrapped(context: _Context, values: Values) -> Values:
    if not context.lax:
        return values
    flat: Values = []
    for value in values:
        flat.extend(value if isinstance(value, list) else [value])
    return flat


def _compared(
    left: Callable[[_Context, Json], Values],
    comparison: str,
    right: Callable[[_Context, Json], Values],
) -> _Test:
    def test(context: _Context, item: Json) -> bool | None:
        try:
            mine = _unwrapped(context, left(context, item))
            others = _unwrapped(context, right(context, item))
        except _Failure:
            return None
        found = [_compare(a, comparison, b) for a in mine for b in others]
        return True if True in found else None if None in found else False

    return test


def _compare(left: Json, comparison: str, right: Json) -> bool | None:
    kinds = json_type(left), json_type(right)
    if comparison in ("==", "!=", "<>"):
        if kinds[0] != kinds[1] and "null" not in kinds:
            return None
        return same(left, right) == (comparison == "==")
    if kinds[0] != kinds[1] or kinds[0] in ("array", "object", "null"):
        return None
    holds: dict[str, bool] = {
        "<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right,
    }  # fmt: skip
    return holds[comparison]


def _matched(
    left: Callable[[_Context, Json], Values], holds: Callable[[_Context, Json], bool | None]
) -> _Test:
    def test(context: _Context, item: Json) -> bool | None:
        try:
            found = [holds(context, value) for value in _unwrapped(context, left(context, item))]
        except _Failure:
            return None
        return True if True in found else None if None in found else False

    return test


def _starts(value: Json, prefixes: Values) -> bool | None:
    if not isinstance(value, str) or not prefixes or not isinstance(prefixes[0], str):
        return None
    return value.startswith(prefixes[0])


def _searched(left: Callable[[_Context, Json], Values], pattern: Expression) -> _Test:
    def holds(_context: _Context, value: Json) -> bool | None:
        return pattern.search(value) is not None if isinstance(value, str) else None

    return _matched(left, holds)


def _as_number(value: Json) -> Decimal | int:
    if json_type(value) != "number":
        raise _Failure("operand of an arithmetic operator of jsonpath is not a numeric value")
    number: Decimal | int = value
    return number


def _arithmetic(
    left: Callable[[_Context, Json], Values], sign: str, right: Callable[[_Context, Json], Values]
) -> Callable[[_Context, Json], Values]:
    def evaluate(context: _Context, item: Json) -> Values:
        mine = _unwrapped(context, left(context, item))
        others = _unwrapped(context, right(context, item))
        if len(mine) != 1 or len(others) != 1:
            side = "left" if len(mine) != 1 else "right"
            raise _Failure(
                f"{side} operand of jsonpath operator {sign} is not a single numeric value"
            )
        a, b = Decimal(_as_number(mine[0])), Decimal(_as_number(others[0]))
        if sign in "/%" and not b:
            raise _Failure("division by zero")
        result = {"+": a + b, "-": a - b, "*": a * b}.get(sign)
        if result is None:
            result = a / b if sign == "/" else a % b
        return [int(result) if result == result.to_integral_value() else result]

    return evaluate


def _variable(name: str) -> Callable[[_Context, Json], Values]:
    def evaluate(context: _Context, item: Json) -> Values:
        if name not in context.variables:
            raise _Failure(f'could not find jsonpath variable "{name}"')
        return [context.variables[name]]

    return evaluate


def _filter(test: _Test) -> _Step:
    def step(context: _Context, values: Values) -> Values:
        return [v for v in _unwrapped(context, values) if test(context, v) is True]

    return step


def _key(name: str) -> _Step:
    def step(context: _Context, values: Values) -> Values:
        found: Values = []
        for value in _unwrapped(context, values):
            if isinstance(value, dict) and name in value:
                found.append(value[name])
            elif not context.lax:
                if isinstance(value, dict):
                    raise _Failure(f'JSON object does not contain key "{name}"')
                raise _Failure("jsonpath member accessor can only be applied to an object")
        return found

    return step


def _wildcard(context: _Context, values: Values) -> Values:
    found: Values = []
    for value in _unwrapped(context, values):
        if isinstance(value, dict):
            found.extend(value.values())
        elif not context.lax:
            raise _Failure("jsonpath wildcard member accessor can only be applied to an object")
    return found


def _descend(_context: _Context, values: Values) -> Values:
    found: Values = []
    for value in values:
        found.append(value)
        inner: Iterable[Json] = (
            value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        )
        found.extend(_descend(_context, list(inner)))
    return found


def _every(context: _Context, values: Values) -> Values:
    found: Values = []
    for value in values:
        if isinstance(value, list):
            found.extend(value)
        elif context.lax:
            found.append(value)
        else:
            raise _Failure("jsonpath wildcard array accessor can only be applied to an array")
    return found


def _indexed(
    ranges: list[
        tuple[Callable[[_Context, Json], Values], Callable[[_Context, Json], Values] | None]
    ],
) -> _Step:
    def step(context: _Context, values: Values) -> Values:
        found: Values = []
        for found_value in values:
            value = found_value if isinstance(found_value, list) else [found_value]
            if value is not found_value and not context.lax:
                raise _Failure("jsonpath array accessor can only be applied to an array")
            context.lengths.append(len(value))
            for low, high in ranges:
                first = int(low(context, value)[0])
                last = first if high is None else int(high(context, value)[0])
                if not context.lax and not 0 <= first <= last < len(value):
                    raise _Failure("jsonpath array subscript is out of bounds")
                found.extend(value[max(first, 0) : last + 1] if last >= 0 else [])
            context.lengths.pop()
        return found

    return step


def _method(name: str, fault: InvalidText) -> _Step:
    if name not in ("size", "type", "double", "abs", "floor", "ceiling", "keyvalue"):
        raise fault

    def step(context: _Context, values: Values) -> Values:
        if name == "type":
            return [json_type(value) for value in values]
        if name == "size":
            return [len(value) if isinstance(value, list) else 1 for value in values]
        if name == "keyvalue":
            return [
                {"key": key, "value": item, "id": 0}
                for value in _unwrapped(context, values)
                for key, item in value.items()
            ]
        return [_computed(name, value) for value in _unwrapped(context, values)]

    return step


def _computed(name: str, value: Json) -> Json:
    if name == "double":
        try:
            return Decimal(value) if isinstance(value, str) else _as_number(value)
        except InvalidOperation as error:
            raise _Failure("argument of jsonpath item method .double() is not a number") from error
    number = _as_number(value)
    if name == "abs":
        return abs(number)
    return math.floor(number) if name == "floor" else math.ceil(number)


def _variables(text: str) -> dict[str, Json]:
    found = read_json(text)
    if not isinstance(found, dict):
        raise InvalidParameter('"vars" argument is not an object')
    return found


def _query(text: str, path: str, variables: str, silent: bool) -> list[str]:
    values = compile_path(path).values(read_json(text), _variables(variables), silent=silent)
    return [write_json(value) for value in values]


def _exists_at(text: str, path: str, variables: str, silent: bool) -> bool:
    return bool(compile_path(path).values(read_json(text), _variables(variables), silent=silent))


def _matches(text: str, path: str, variables: str, silent: bool) -> bool | None:
    values = compile_path(path).values(read_json(text), _variables(variables), silent=silent)
    if len(values) == 1 and (values[0] is None or isinstance(values[0], bool)):
        answer: bool | None = values[0]
        return answer
    if silent:
        return None
    raise InvalidParameter("single boolean result is expected")


_ARGUMENTS = ("VARCHAR", "VARCHAR", "VARCHAR", "BOOLEAN")

NATIVES = (
    NativeFunction("_vs_json_query", _ARGUMENTS, "VARCHAR[]", _query),
    NativeFunction("_vs_json_exists", _ARGUMENTS, "BOOLEAN", _exists_at),
    NativeFunction("_vs_json_match", _ARGUMENTS, "BOOLEAN", _matches),
)
