"""A reader of one statement's tokens, for the statements we parse word by word."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot.tokenizer_core import Token, TokenType

from voltstream.core.errors import FeatureNotSupported, SyntaxFault
from voltstream.sql.dialect import fault_after, syntax_fault
from voltstream.sql.statements import ObjectName

_NOT_WORDS = frozenset(
    {TokenType.STRING, TokenType.IDENTIFIER, TokenType.NUMBER, TokenType.HEREDOC_STRING}
)
_STRINGS = frozenset({TokenType.STRING, TokenType.HEREDOC_STRING, TokenType.BYTE_STRING})
_OPEN = frozenset({TokenType.L_PAREN, TokenType.L_BRACKET, TokenType.L_BRACE})
_CLOSE = frozenset({TokenType.R_PAREN, TokenType.R_BRACKET, TokenType.R_BRACE})


class Cursor:
    """Tokens of one statement with a place in them; ``text`` is the whole message."""

    def __init__(self, tokens: Sequence[Token], text: str) -> None:
        self.tokens = tokens
        self.text = text
        self.at = 0

    @property
    def token(self) -> Token | None:
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    @property
    def done(self) -> bool:
        return self.at >= len(self.tokens)

    def fault(self, hint: str | None = None) -> SyntaxFault:
        """Return the syntax error of the current place."""
        if self.done and self.tokens:
            return fault_after(self.tokens[-1], self.text, hint)
        return syntax_fault(self.token, self.text, hint)

    def unsupported(self, clause: str, hint: str | None = None) -> FeatureNotSupported:
        """Return the refusal of a clause that begins at the current place."""
        place = self.token or self.tokens[-1]
        return FeatureNotSupported(
            f"{clause} is not supported", position=place.start + 1, hint=hint
        )

    def word(self, ahead: int = 0) -> str:
        """Return the word here in upper case; empty at the end and for strings and quoted names."""
        place = self.at + ahead
        if place >= len(self.tokens) or self.tokens[place].token_type in _NOT_WORDS:
            return ""
        return " ".join(self.tokens[place].text.upper().split())

    def sees(self, words: str) -> bool:
        """Tell whether the words come next."""
        return self._length_of(words) > 0

    def accept(self, words: str) -> bool:
        """Step over the words if they come next."""
        length = self._length_of(words)
        self.at += length
        return length > 0

    def expect(self, words: str, hint: str | None = None) -> None:
        """Step over the words. Raises: SyntaxFault."""
        if not self.accept(words):
            raise self.fault(hint)

    def expect_end(self, hint: str | None = None) -> None:
        if not self.done:
            raise self.fault(hint)

    def _length_of(self, words: str) -> int:
        # One token may hold several words ("PRIMARY KEY", "DOUBLE PRECISION").
        wanted, length = words, 0
        while wanted:
            here = self.word(length)
            if not here or not (wanted == here or wanted.startswith(here + " ")):
                return 0
            wanted = wanted[len(here) + 1 :]
            length += 1
        return length

    def advance(self) -> Token:
        """Step over one token. Raises: SyntaxFault at the end."""
        token = self.token
        if token is None:
            raise self.fault()
        self.at += 1
        return token

    def identifier(self) -> str:
        """Read one name, folded unless quoted. Raises: SyntaxFault."""
        token = self.token
        if token is None:
            raise self.fault()
        if token.token_type == TokenType.IDENTIFIER:
            self.at += 1
            return token.text
        if token.token_type in _NOT_WORDS or not (token.text[0].isalpha() or token.text[0] == "_"):
            raise self.fault()
        self.at += 1
        return token.text.lower()

    def object_name(self) -> ObjectName:
        """Read ``[[database.]schema.]name``. Raises: SyntaxFault."""
        parts = [self.identifier()]
        while self.accept("."):
            if len(parts) == 3:
                raise self.fault()
            parts.append(self.identifier())
        return ObjectName(*reversed(parts))

    def object_names(self) -> tuple[ObjectName, ...]:
        names = [self.object_name()]
        while self.accept(","):
            names.append(self.object_name())
        return tuple(names)

    def string(self) -> str:
        """Read one string literal. Raises: SyntaxFault."""
        token = self.token
        if token is None or token.token_type not in _STRINGS:
            raise self.fault()
        self.at += 1
        return token.text

    def at_string(self) -> bool:
        return not self.done and self.tokens[self.at].token_type in _STRINGS

    def name_list(self) -> tuple[str, ...]:
        """Read ``(a, b, …)``."""
        self.expect("(")
        names = [self.identifier()]
        while self.accept(","):
            names.append(self.identifier())
        self.expect(")")
        return tuple(names)

    def parenthesized(self) -> list[Token]:
        """Read ``( … )`` and return what is inside. Raises: SyntaxFault."""
        if not self.sees("("):
            raise self.fault()
        start = self.at
        self.at = self.closing()
        inside = list(self.tokens[start + 1 : self.at])
        self.at += 1
        return inside

    def closing(self) -> int:
        """Return the index of the bracket that closes the one here. Raises: SyntaxFault."""
        depth = 0
        for place in range(self.at, len(self.tokens)):
            kind = self.tokens[place].token_type
            depth += (kind in _OPEN) - (kind in _CLOSE)
            if depth == 0:
                return place
        self.at = len(self.tokens)
        raise self.fault()

    def rest(self) -> list[Token]:
        """Take every token that is left."""
        tokens = list(self.tokens[self.at :])
        self.at = len(self.tokens)
        return tokens

    def slice_text(self, tokens: Sequence[Token]) -> str:
        return self.text[tokens[0].start : tokens[-1].end + 1] if tokens else ""


def split_commas(tokens: Sequence[Token]) -> list[list[Token]]:
    """Split at commas outside brackets, those of ``struct<a int>`` too; nothing gives no part."""
    parts: list[list[Token]] = [[]]
    depth = 0
    angles = 0
    for token in tokens:
        before = parts[-1][-1].token_type if parts[-1] else None
        if token.token_type == TokenType.LT and before in (TokenType.STRUCT, TokenType.MAP):
            angles += 1
            depth += 1
        elif token.token_type == TokenType.GT and angles:
            angles -= 1
            depth -= 1
        depth += (token.token_type in _OPEN) - (token.token_type in _CLOSE)
        if token.token_type == TokenType.COMMA and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return [] if parts == [[]] else parts


def top_level(tokens: Sequence[Token], words: tuple[str, ...]) -> int | None:
    """Return where the last occurrence of ``words`` outside brackets begins."""
    depth = 0
    found = None
    for place, token in enumerate(tokens):
        kind = token.token_type
        if depth == 0 and kind not in _NOT_WORDS:
            window = tokens[place : place + len(words)]
            spelled = tuple(t.text.upper() for t in window if t.token_type not in _NOT_WORDS)
            if spelled == words:
                found = place
        depth += (kind in _OPEN) - (kind in _CLOSE)
    return found
