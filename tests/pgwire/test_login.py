"""How a client proves who it is: RFC 7677's exchange, transcripts, and turns of who guesses."""

from __future__ import annotations

import struct
from base64 import b64decode, b64encode

import pytest

from tests.pgwire.memory_session import MemorySessions
from tests.pgwire.test_protocol import STARTUP, Desk, frame, told
from voltstream.core.errors import InvalidAuthorization, ProtocolViolation
from voltstream.core.guesses import Guesses
from voltstream.core.limits import LOGIN_DELAY_MAX_S, LOGIN_PEERS_MAX
from voltstream.core.passwords import verifier_of
from voltstream.pgwire.login import Line, Login, PasswordLogin, Policy, ScramLogin, demanded
from voltstream.pgwire.protocol import Conversation
from voltstream.pgwire.scram import PLUS, ScramServer, WrongProof
from voltstream.pgwire.startup import Credentials

PENCIL = verifier_of("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
SERVER_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
CLIENT_NONCE = "rOprNGfwEbeRWgbNEkqO"
PROOF = "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="
FINAL = f"c=biws,r={CLIENT_NONCE}{SERVER_NONCE},{PROOF}".encode()


def test_the_exchange_of_rfc_7677() -> None:
    server = ScramServer(PENCIL, nonce=SERVER_NONCE)
    first = server.first("SCRAM-SHA-256", f"n,,n=user,r={CLIENT_NONCE}".encode())
    assert first == f"r={CLIENT_NONCE}{SERVER_NONCE},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096".encode()
    assert server.final(FINAL) == b"v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4="


def test_another_password_proves_nothing() -> None:
    server = ScramServer(verifier_of("Pencil", PENCIL.salt), nonce=SERVER_NONCE)
    server.first("SCRAM-SHA-256", f"n,,n=user,r={CLIENT_NONCE}".encode())
    with pytest.raises(WrongProof):
        server.final(FINAL)


@pytest.mark.parametrize(
    ("mechanism", "first", "binding"),
    [
        ("SCRAM-SHA-1", b"n,,n=,r=abc", b""),
        ("SCRAM-SHA-256", b"n,a=other,n=,r=abc", b""),
        ("SCRAM-SHA-256", b"n,,n=", b""),
        ("SCRAM-SHA-256", b"", b""),
        ("SCRAM-SHA-256", b"\xff\xfe", b""),
        ("SCRAM-SHA-256", b"p=tls-server-end-point,,n=,r=abc", b"seen"),
        ("SCRAM-SHA-256", b"y,,n=,r=abc", b"seen"),  # Somebody took -PLUS out of our offer.
        (PLUS, b"n,,n=,r=abc", b"seen"),
        (PLUS, b"p=tls-unique,,n=,r=abc", b"seen"),
        (PLUS, b"p=tls-server-end-point,,n=,r=abc", b""),
    ],
)
def test_a_first_message_that_does_not_fit(mechanism: str, first: bytes, binding: bytes) -> None:
    with pytest.raises(ProtocolViolation):
        ScramServer(PENCIL, binding).first(mechanism, first)


def test_a_login_is_bound_to_the_certificate_that_was_seen() -> None:
    header = b"p=tls-server-end-point,,"
    server = ScramServer(PENCIL, b"ours", nonce=SERVER_NONCE)
    server.first(PLUS, header + b"n=,r=abc")
    bound = b64encode(header + b"theirs").decode()
    with pytest.raises(ProtocolViolation, match="channel binding check failed"):
        server.final(f"c={bound},r=abc{SERVER_NONCE},{PROOF}".encode())


# --- who must prove what ------------------------------------------------------------------------

HERE = Line("127.0.0.1", near=True)
FAR = Line("203.0.113.7", near=False)
FAR_TLS = Line("203.0.113.7", near=False, secured=True, binding=b"seen")


@pytest.mark.parametrize(
    ("user", "line", "policy", "asked"),
    [
        ("al", HERE, Policy(), None),
        ("bo", HERE, Policy(), ScramLogin),
        ("al", FAR, Policy(), ScramLogin),
        ("al", HERE, Policy("scram-sha-256"), ScramLogin),
        ("bo", HERE, Policy("password"), ScramLogin),  # Not in the clear.
        ("bo", FAR_TLS, Policy("password"), PasswordLogin),
        ("bo", FAR_TLS, Policy(tls_required=True), ScramLogin),
    ],
)
def test_who_is_asked(user: str, line: Line, policy: Policy, asked: type[Login] | None) -> None:
    credentials = Credentials(user, "memory", {})
    found = demanded(credentials, line, policy, MemorySessions().standing)
    assert (found is None) if asked is None else isinstance(found, asked)


def test_from_afar_without_tls_where_it_is_required() -> None:
    credentials = Credentials("bo", "memory", {})
    with pytest.raises(InvalidAuthorization, match="no encryption"):
        demanded(credentials, FAR, Policy(tls_required=True), MemorySessions().standing)


# --- transcripts --------------------------------------------------------------------------------


class LoginDesk(Desk):
    def __init__(self, login: Login) -> None:
        super().__init__()
        self.login = login

    def demand(self, credentials: Credentials) -> Login | None:
        return self.login


def initial(text: bytes, mechanism: bytes = b"SCRAM-SHA-256") -> bytes:
    return frame("p", mechanism + b"\0" + struct.pack("!i", len(text)) + text)


def test_a_login_by_scram() -> None:
    login = ScramLogin("user", ScramServer(PENCIL, nonce=SERVER_NONCE))
    conversation = Conversation(LoginDesk(login))
    asked = b"".join(conversation.receive(STARTUP))
    assert asked == b"R\0\0\0\x17\0\0\0\x0aSCRAM-SHA-256\0\0"
    first = b"".join(conversation.receive(initial(f"n,,n=user,r={CLIENT_NONCE}".encode())))
    assert first[:9] == b"R" + struct.pack("!ii", len(first) - 1, 11)
    final = b"".join(conversation.receive(frame("p", FINAL)))
    assert final[5:9] == struct.pack("!i", 12)
    lines = told(final)
    assert lines[-1] == "Z I"
    assert not conversation.finished


def test_a_wrong_password_ends_the_conversation() -> None:
    login = ScramLogin("user", ScramServer(verifier_of("other"), nonce=SERVER_NONCE))
    conversation = Conversation(LoginDesk(login))
    b"".join(conversation.receive(STARTUP))
    b"".join(conversation.receive(initial(f"n,,n=user,r={CLIENT_NONCE}".encode())))
    assert told(b"".join(conversation.receive(frame("p", FINAL)))) == ["E FATAL 28P01"]
    assert conversation.finished
    assert conversation.denied


@pytest.mark.parametrize(
    "data", [frame("Q", b"SELECT 1\0"), frame("p", b""), frame("p", b"SCRAM-SHA-256\0\0\0\0\x09n")]
)
def test_what_is_no_answer_to_a_login(data: bytes) -> None:
    conversation = Conversation(LoginDesk(ScramLogin("user", ScramServer(PENCIL))))
    b"".join(conversation.receive(STARTUP))
    assert told(b"".join(conversation.receive(data))) == ["E FATAL 08P01"]
    assert conversation.finished


def test_a_password_over_tls() -> None:
    standing = MemorySessions().standing("bo")
    for password, answer in (
        (b"pencil\0", "Z I"),
        (b"\0", "E FATAL 28P01"),
        (b"x\0", "E FATAL 28P01"),
    ):
        conversation = Conversation(LoginDesk(PasswordLogin("bo", standing)))
        assert b"".join(conversation.receive(STARTUP)) == b"R\0\0\0\x08\0\0\0\x03"
        assert told(b"".join(conversation.receive(frame("p", password))))[-1] == answer


SSL = struct.pack("!ii", 8, 80877103)


def test_tls_is_offered_once_and_before_all_else() -> None:
    desk = Desk()
    assert b"".join(Conversation(desk).receive(SSL)) == b"N"
    desk.offers_tls = True
    conversation = Conversation(desk)
    assert b"".join(conversation.receive(SSL)) == b"S"
    assert conversation.wants_tls
    desk.secured = True
    assert told(b"".join(conversation.receive(SSL))) == ["E FATAL 08P01"]


def test_bytes_put_in_before_tls_are_refused() -> None:
    desk = Desk()
    desk.offers_tls = True
    conversation = Conversation(desk)
    assert told(b"".join(conversation.receive(SSL + STARTUP))) == ["E FATAL 08P01"]
    assert not conversation.wants_tls


@pytest.mark.parametrize(
    ("minor", "options", "negotiated", "key_bytes"),
    [
        (0, b"", None, 4),
        (2, b"", None, 32),
        (1, b"", (0, b""), 4),
        (9999, b"", (2, b""), 32),
        (0, b"_pq_.one\0x\0", (0, b"_pq_.one\0"), 4),
        (2, b"_pq_.one\0x\0", (2, b"_pq_.one\0"), 32),
    ],
)
def test_the_protocol_is_negotiated(
    minor: int, options: bytes, negotiated: tuple[int, bytes] | None, key_bytes: int
) -> None:
    body = b"user\0al\0database\0memory\0" + options + b"\0"
    startup = struct.pack("!ii", len(body) + 8, (3 << 16) | minor) + body
    answer = b"".join(Conversation(Desk()).receive(startup))
    if negotiated is None:
        assert answer[:1] == b"R"
    else:
        version, names = negotiated
        said = struct.pack("!ii", (3 << 16) | version, names.count(b"\0")) + names
        assert answer.startswith(b"v" + struct.pack("!i", len(said) + 4) + said)
    assert b"K" + struct.pack("!ii", 8 + key_bytes, 7) + bytes(range(key_bytes)) in answer


# --- guessing -----------------------------------------------------------------------------------


def test_who_guesses_waits_longer_each_time() -> None:
    guesses = Guesses()
    now_s, waits = 0.0, []
    for _ in range(10):
        wait_s = guesses.wait_s("a", now_s)
        assert wait_s is not None
        waits.append(wait_s)
        now_s += wait_s
        guesses.failed("a", now_s)
    assert waits[0] == 0
    assert waits == sorted(waits)
    assert waits[-1] == LOGIN_DELAY_MAX_S
    assert guesses.wait_s("b", now_s) == 0


def test_many_connections_of_one_address_take_turns() -> None:
    guesses = Guesses()
    for _ in range(8):
        guesses.failed("a", 0.0)
    turns = [guesses.wait_s("a", 0.0) for _ in range(10)]
    taken = [turn for turn in turns if turn is not None]
    assert len(set(taken)) == len(taken)
    assert turns[-1] is None  # Too many wait before it.


def test_a_login_that_works_or_time_forgives() -> None:
    guesses = Guesses()
    guesses.failed("a", 0.0)
    guesses.succeeded("a")
    assert guesses.wait_s("a", 0.0) == 0
    guesses.failed("a", 0.0)
    assert guesses.wait_s("a", 10_000.0) == 0


def test_no_more_addresses_are_remembered_than_the_limit() -> None:
    guesses = Guesses()
    for number in range(LOGIN_PEERS_MAX + 1):
        guesses.failed(str(number), 0.0)
    assert guesses.wait_s("0", 0.0) == 0
    assert guesses.wait_s("1", 0.0) != 0
