"""How brokers are reached: what definitions say of it, in the words of each who reaches them.

Definitions have librdkafka's names. A secret stays a name until a statement is sent or a client
of ours connects; then it is looked for in the environment.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from voltstream.core.errors import InvalidParameter
from voltstream.core.redaction import is_secret
from voltstream.core.references import referenced
from voltstream.deploy.drafting import literal, spelled

ENVIRONMENT = "VOLTSTREAM_SECRET_"
_PREFIX = "properties."
_STANDS_FOR_IT = re.compile(r'((?:username|password)=")?\$' + ENVIRONMENT + r"([A-Z0-9_]+)")
_PLACES = frozenset({"bootstrap.server", "bootstrap.servers"})
# What Flink's SQL jar for Kafka calls the modules that log in: its classes have names of their own.
_MODULES = "org.apache.flink.kafka.shaded.org.apache.kafka.common.security."
_LOGIN = {"PLAIN": "plain.PlainLoginModule", "SCRAM-SHA-256": "scram.ScramLoginModule",
          "SCRAM-SHA-512": "scram.ScramLoginModule"}  # fmt: skip
_PEM = {"ssl.truststore.type": "PEM"}
_KEY = {"ssl.keystore.type": "PEM"}
# What both clients call the same.
_SHARED = frozenset({"client.id", "client.rack", "group.id", "isolation.level", "fetch.min.bytes",
                     "session.timeout.ms", "heartbeat.interval.ms", "max.poll.interval.ms",
                     "linger.ms", "batch.size", "compression.type", "request.timeout.ms",
                     "ssl.key.password"})  # fmt: skip
_EACH = (False, True)
_GUARDING = ("security.", "sasl.", "ssl.", "enable.ssl", "oauthbearer")


def access_of(properties: Mapping[str, str]) -> dict[str, str]:
    """Return what options say of reaching brokers, beside where they are."""
    found = {
        name.removeprefix(_PREFIX).lower(): value
        for name, value in properties.items()
        if name.startswith(_PREFIX)
    }
    return {name: value for name, value in found.items() if name not in _PLACES}


@dataclass(frozen=True, slots=True)
class ForJava:
    """Settings of Java's client, under the names that Flink has for them.

    Shape: ``refused`` are names that it cannot follow, ``left`` those that tune librdkafka only,
    ``plain`` what belongs in a secret and is in none.
    """

    settings: Mapping[str, str]
    refused: Sequence[str]
    left: Sequence[str]
    plain: Sequence[str]


def for_java(access: Mapping[str, str]) -> ForJava:
    """Return how Java's client reaches brokers.

    Law: what guards a connection is followed, or named among what cannot be.
    """
    made, rest = dict[str, str](), dict(access)
    plain = in_plain(access)
    for name in ("security.protocol", "sasl.mechanism", "sasl.mechanisms"):
        if name in rest:
            made[name.removesuffix("s")] = placed(rest.pop(name)).upper()
    login = _LOGIN.get(made.get("sasl.mechanism", ""))
    if login is not None and {"sasl.username", "sasl.password"} <= set(rest):
        user, password = (placed(rest.pop(f"sasl.{one}")) for one in ("username", "password"))
        who = f'username="{_escaped(user)}" password="{_escaped(password)}"'
        made["sasl.jaas.config"] = f"{_MODULES}{login} required {who};"
    for name, java, beside in (
        ("ssl.ca.location", "ssl.truststore.location", _PEM),
        ("ssl.ca.pem", "ssl.truststore.certificates", _PEM),
        ("ssl.certificate.pem", "ssl.keystore.certificate.chain", _KEY),
        ("ssl.key.pem", "ssl.keystore.key", _KEY),
    ):
        if name in rest:
            made |= {**beside, java: placed(rest.pop(name))}
    checked = rest.pop("ssl.endpoint.identification.algorithm", None)
    if checked is not None:
        made["ssl.endpoint.identification.algorithm"] = "" if checked == "none" else checked
    made |= {name: placed(rest.pop(name)) for name in sorted(_SHARED & set(rest))}
    refused = [name for name in rest if name.startswith(_GUARDING)]
    if made.get("security.protocol", "").startswith("SASL") and "sasl.jaas.config" not in made:
        refused.append("sasl.mechanism")
    left = [name for name in rest if name not in refused]
    return ForJava({_PREFIX + name: told for name, told in made.items()}, refused, left, plain)


def in_plain(access: Mapping[str, str]) -> list[str]:
    """Return the names of what belongs in a secret and is in none."""
    return [name for name, value in access.items() if is_secret(name) and referenced(value) is None]


def placed(value: str) -> str:
    """Return a value as statements that are written down have it: a secret by its name."""
    name = referenced(value)
    return value if name is None else f"${_variable(name)}"


def of_voltstream(brokers: str | None, access: Mapping[str, str]) -> dict[str, str]:
    """Return how a Voltstream reaches the brokers, as the options of its statements."""
    if brokers is None:
        return {}
    told = {_PREFIX + name: value for name, value in access.items()}
    return {"properties.bootstrap.server": brokers, **told}


def option(value: str) -> str:
    """Return a value as Voltstream's own statements have it."""
    name = referenced(value)
    return literal(value) if name is None else f"SECRET {secret_name(name)}"


def secret_name(name: str) -> str:
    """Spell a secret as statements name it."""
    return spelled(name.removeprefix("public.").split("."))


def with_secrets(text: str) -> str:
    """Return a statement as it is sent. Raises: InvalidParameter (22023) where one is not told."""

    def told(found: re.Match[str]) -> str:
        return (found[1] or "") + _as_sent(_told(ENVIRONMENT + found[2]), logs_in=bool(found[1]))

    return _STANDS_FOR_IT.sub(told, text)


def _as_sent(value: str, *, logs_in: bool) -> str:
    """Spell a secret inside a text of SQL, and of Java's words of a login in that."""
    value = value.replace("'", "''")
    return _escaped(value) if logs_in else value


def masked(text: str) -> str:
    """Return what a target said, without the secrets that were sent to it."""
    for variable, value in os.environ.items():
        if variable.startswith(ENVIRONMENT) and value:
            spellings = {value, _escaped(value), *(_as_sent(value, logs_in=one) for one in _EACH)}
            for one in sorted(spellings, key=len, reverse=True):  # The longest has others in it.
                text = text.replace(one, f"${variable}")
    return text


def connecting(access: Mapping[str, str]) -> dict[str, str]:
    """Return what a client of ours is told. Raises: InvalidParameter (22023)."""
    return {
        name: value if (secret := referenced(value)) is None else _told(_variable(secret))
        for name, value in access.items()
    }


def secrets_in(access: Mapping[str, str]) -> Iterator[str]:
    """Yield the secrets that are named."""
    for value in access.values():
        name = referenced(value)
        if name is not None:
            yield name


def _told(variable: str) -> str:
    value = os.environ.get(variable)
    if value is None:
        raise InvalidParameter(
            f"{variable} is not set",
            hint="The value of the secret that the definitions name; it is written nowhere.",
        )
    return value


def _variable(name: str) -> str:
    return ENVIRONMENT + re.sub(r"[^A-Z0-9]", "_", name.removeprefix("public.").upper())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
