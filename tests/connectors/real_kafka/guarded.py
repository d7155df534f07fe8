"""The broker of tests with a second door: TLS, and a password that needs escaping everywhere."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.connectors.real_kafka.broker import Broker
from voltstream.cli.certificates import self_signed

USER, PASSWORD = "volt", 'it\'s "se\\cret"'
_LOGIN = "org.apache.kafka.common.security.plain.PlainLoginModule"


class GuardedBroker(Broker):
    """Law: ``guarded`` lets nobody in without the password; ``address`` lets in everybody."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.guarded = f"127.0.0.1:{free.getsockname()[1]}"
        self.certificate, key = self_signed(folder / "tls", "127.0.0.1")
        store = folder / "tls" / "broker.pem"
        store.write_text(key.read_text() + self.certificate.read_text())
        given = _property(self._config.read_text(), "listeners")
        shown = _property(self._config.read_text(), "advertised.listeners")
        secret = PASSWORD.replace("\\", "\\\\").replace('"', '\\"')
        login = f'{_LOGIN} required user_{USER}="{secret}";'.replace("\\", "\\\\")
        # Of a name that comes again the last counts.
        with self._config.open("a") as config:
            config.write(
                f"listeners={given},GUARDED://{self.guarded}\n"
                f"advertised.listeners={shown},GUARDED://{self.guarded}\n"
                "listener.security.protocol.map="
                "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,GUARDED:SASL_SSL\n"
                "inter.broker.listener.name=PLAINTEXT\n"
                "listener.name.guarded.sasl.enabled.mechanisms=PLAIN\n"
                f"listener.name.guarded.plain.sasl.jaas.config={login}\n"
                "listener.name.guarded.ssl.keystore.type=PEM\n"
                f"listener.name.guarded.ssl.keystore.location={store}\n"
            )

    @property
    def definitions(self) -> str:
        """Return the statements by which a Voltstream reaches the guarded door."""
        secret = PASSWORD.replace("'", "''")
        return (
            f"CREATE SECRET broker_password WITH (backend = 'meta') AS '{secret}'; "
            "CREATE CONNECTION broker WITH (type = 'kafka', "
            f"properties.bootstrap.server = '{self.guarded}', "
            "properties.security.protocol = 'SASL_SSL', properties.sasl.mechanism = 'PLAIN', "
            f"properties.sasl.username = '{USER}', "
            "properties.sasl.password = SECRET broker_password, "
            f"properties.ssl.ca.location = '{self.certificate}'); "
        )


def _property(config: str, name: str) -> str:
    [line] = [line for line in config.splitlines() if line.startswith(f"{name}=")]
    return line.partition("=")[2]
