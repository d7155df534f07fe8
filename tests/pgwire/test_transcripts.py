"""Recorded exchanges of the protocol against a real engine, message by message.

Written anew with VOLTSTREAM_GOLDEN=write; then they are read line by line.
"""

from __future__ import annotations

import os
import re
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.driver import begun
from tests.pgwire.transcript import BACKEND, FRONTEND, read_answer, read_message
from voltstream.connectors.registry import ConnectorRegistry
from voltstream.core.clock import SystemClock
from voltstream.core.passwords import verifier_of
from voltstream.core.ports import Session, Standing
from voltstream.pgwire.entrance import Admitted
from voltstream.pgwire.login import Login, PasswordLogin, ScramLogin
from voltstream.pgwire.protocol import Conversation
from voltstream.pgwire.scram import ScramServer
from voltstream.pgwire.startup import Credentials
from voltstream.runtime.instance import Instance
from voltstream.runtime.options import EngineOptions

FOLDER = Path(__file__).parent / "transcripts"
SCRIPTS = sorted(FOLDER.glob("*.txt"))
_LINE = re.compile(r"(\d?)([<>]) (.*)")
# RFC 7677, section 3: an exchange with these proves "pencil".
_PENCIL = verifier_of("pencil", b64decode("W22ZaJ0SNY7soEsUEjb6gQ=="))
_NONCE = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0"
_FIRST_PROCESS = 101


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    data = begun(tmp_path_factory.mktemp("data"))
    running = Instance(data, EngineOptions(), SystemClock(), ConnectorRegistry(None))
    running.start()
    yield running
    running.stop()


@dataclass
class Desk:
    """The server's side of one connection, with nothing left to chance."""

    instance: Instance
    process_id: int
    login: str
    others: dict[int, Session] = field(default_factory=dict)
    secured: bool = False

    @property
    def offers_tls(self) -> bool:
        return self.login == "tls"

    def demand(self, credentials: Credentials) -> Login | None:
        match self.login:
            case "scram":
                return ScramLogin(credentials.user, ScramServer(_PENCIL, nonce=_NONCE))
            case "password":
                standing = Standing(_PENCIL, has_password=True, any_password=True)
                return PasswordLogin(credentials.user, standing)
            case _:
                return None

    def admit(self, credentials: Credentials, key_bytes: int) -> Admitted:
        session = self.instance.open(
            database=credentials.database, user=credentials.user, options=credentials.options,
            process_id=self.process_id,
        )  # fmt: skip
        self.others[self.process_id] = session
        return Admitted(session, self.process_id, bytes(range(key_bytes)))

    def cancel(self, process_id: int, secret: bytes) -> None:
        if process_id in self.others and secret == bytes(range(len(secret))):
            self.others[process_id].interrupt()


def _groups(text: str) -> Iterator[tuple[str, str, list[str]]]:
    """Yield what is sent together: the remarks before, the connection, its messages."""
    remarks: list[str] = []
    connection, messages = "", list[str]()
    for line in [*text.splitlines(), "#"]:
        found = _LINE.fullmatch(line)
        if found is not None and found[2] == ">":
            if messages and found[1] != connection:
                yield "\n".join(remarks), connection, messages
                remarks, messages = [], []
            connection = found[1]
            messages.append(found[3])
            continue
        if messages:
            yield "\n".join(remarks), connection, messages
            remarks, messages = [], []
        if found is None and line != "#":
            remarks.append(line)


def play(text: str, instance: Instance) -> str:
    """Return a transcript with the answers of now."""
    login = re.search(r"^# login: (\w+)", text, re.MULTILINE)
    conversations: dict[str, Conversation] = {}
    sessions: dict[int, Session] = {}
    lines: list[str] = []
    try:
        for remarks, connection, messages in _groups(text):
            if connection not in conversations:
                process_id = _FIRST_PROCESS + len(conversations)
                method = login[1] if login is not None else ""
                desk = Desk(instance, process_id, method, sessions)
                conversations[connection] = Conversation(desk)
            lines += [remarks] if remarks else []
            lines += [f"{connection}> {message}" for message in messages]
            answer = _answer(conversations[connection], messages)
            lines += [f"{connection}< {line}" for line in read_answer(answer)]
            if conversations[connection].finished:
                lines.append(f"# the connection {connection or '1'} ends")
    finally:
        for conversation in conversations.values():
            conversation.close()
    return "\n".join(lines) + "\n"


def _answer(conversation: Conversation, messages: list[str]) -> bytes:
    if messages == ["Wait"]:
        return conversation.meanwhile()
    sent = b"".join(FRONTEND[m.name](m) for m in map(read_message, messages))
    return b"".join(conversation.receive(sent))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.stem)
def test_the_exchange_is_as_recorded(script: Path, instance: Instance) -> None:
    recorded = script.read_text()
    asked = re.sub(r"^# the connection \d ends\n", "", recorded, flags=re.MULTILINE)
    played = play(asked, instance)
    if os.environ.get("VOLTSTREAM_GOLDEN") == "write":
        script.write_text(played)
        return
    assert played == recorded


def _names(mark: str) -> set[str]:
    found: set[str] = set()
    for script in SCRIPTS:
        for line in script.read_text().splitlines():
            shown = _LINE.fullmatch(line)
            if shown is not None and shown[2] == mark:
                found.add(shown[3].split()[0])
    return found


def test_every_message_of_clients_is_in_a_transcript() -> None:
    assert set(FRONTEND) - _names(">") == set()


def test_every_message_of_the_server_is_in_a_transcript() -> None:
    source = _source("messages.py") + _source("login.py")
    sent = set(re.findall(r'message\(\s*b"(\w)"', source)) | set("EN")
    assert sent | set("GHCD") <= set(BACKEND)
    kinds = {int(kind) for kind in re.findall(r"_request\((\d+)", source)} | {0}
    assert kinds == {0, 3, 10, 11, 12}
    named = {*BACKEND.values()} - {"Authentication"}
    named |= {
        "AuthenticationOk", "AuthenticationCleartextPassword", "AuthenticationSASL",
        "AuthenticationSASLContinue", "AuthenticationSASLFinal", "S", "N",
    }  # fmt: skip
    assert named - _names("<") == set()


def _source(name: str) -> str:
    return (Path(__file__).parents[2] / "src/voltstream/pgwire" / name).read_text()
