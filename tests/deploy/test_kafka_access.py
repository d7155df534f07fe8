"""Brokers behind TLS and passwords: as each client spells it, and no secret written down."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.cluster.deploying import deploy
from tests.driver import Engine
from voltstream.cli.certificates import self_signed
from voltstream.cli.definitions import studied
from voltstream.cli.definitions import told as definitions_of
from voltstream.cli.script import split_script
from voltstream.core.clock import SystemClock
from voltstream.core.errors import InvalidParameter
from voltstream.core.references import reference
from voltstream.deploy.brokers_file import brokers_of
from voltstream.deploy.drafting import Options
from voltstream.deploy.flink_gateway import reason
from voltstream.deploy.kafka_access import for_java, with_secrets
from voltstream.deploy.script import NotDeployable, Target
from voltstream.deploy.targets import script_for

GUARDED = """
CREATE SECRET broker_password WITH (backend = 'meta') AS 'hush';
CREATE CONNECTION broker WITH (type = 'kafka', properties.bootstrap.server = 'broker:9093',
    properties.security.protocol = 'sasl_ssl', properties.sasl.mechanism = 'SCRAM-SHA-512',
    properties.sasl.username = 'volt', properties.sasl.password = SECRET broker_password,
    properties.ssl.ca.location = '{ca}');
CREATE SOURCE reads (meter VARCHAR, kwh DOUBLE PRECISION) WITH (connector = 'kafka',
    topic = 'reads', connection = broker, properties.queued.min.messages = '1000')
    FORMAT PLAIN ENCODE JSON;
CREATE MATERIALIZED VIEW v AS SELECT meter, sum(kwh) AS kwh FROM reads GROUP BY meter;
"""
VARIABLE = "VOLTSTREAM_SECRET_BROKER_PASSWORD"


@pytest.fixture
def ca(tmp_path: Path) -> Path:
    return self_signed(tmp_path, "127.0.0.1")[0]


@pytest.fixture
def file(ca: Path, tmp_path: Path) -> Path:
    path = tmp_path / "p.sql"
    path.write_text(GUARDED.format(ca=ca))
    return path


def test_flink_is_told_in_the_words_of_java(file: Path, ca: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert "queued.min.messages" in deploy("--target", "flink", "-f", file, "--out", out).stderr
    text = (out / "deploy.sql").read_text()
    # The source, and the topic of the view.
    for line, count in (
        ("'properties.bootstrap.servers' = 'broker:9093'", 2),
        ("'properties.security.protocol' = 'SASL_SSL'", 2),
        ("'properties.sasl.mechanism' = 'SCRAM-SHA-512'", 2),
        (f'ScramLoginModule required username="volt" password="${VARIABLE}";', 2),
        ("'properties.ssl.truststore.type' = 'PEM'", 2),
        (f"'properties.ssl.truststore.location' = '{ca}'", 2),
        ("queued.min", 1),  # In a remark.
    ):
        assert text.count(line) == count, line
    assert "hush" not in "".join(one.read_text() for one in out.iterdir())
    serving = (out / "serving.sql").read_text()
    assert "CREATE SECRET broker_password WITH (backend = 'meta') AS '…';" in serving
    assert "CREATE CONNECTION broker" in serving
    assert "properties.sasl.password = SECRET broker_password" in serving


def test_risingwave_is_told_in_its_own(file: Path, tmp_path: Path) -> None:
    deploy("--target", "risingwave", "-f", file, "--out", tmp_path / "out")
    text = (tmp_path / "out" / "deploy.sql").read_text()
    assert f"properties.sasl.password = '${VARIABLE}'" in text
    assert "properties.bootstrap.server = 'broker:9093'" in text


def test_secrets_are_told_by_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    written = f"WITH (a = '${VARIABLE}', b = 'required password=\"${VARIABLE}\";')"
    with pytest.raises(InvalidParameter, match=f"{VARIABLE} is not set") as error:
        with_secrets(written)
    assert error.value.sqlstate == "22023" and error.value.hint
    monkeypatch.setenv(VARIABLE, 'it\'s "se\\cret"')
    assert with_secrets(written) == (
        r"""WITH (a = 'it''s "se\cret"', b = 'required password="it''s \"se\\cret\"";')"""
    )


def test_what_guards_and_cannot_be_followed_is_refused(file: Path, tmp_path: Path) -> None:
    found = for_java({"sasl.mechanism": "GSSAPI", "sasl.kerberos.service.name": "kafka",
                      "ssl.ca.location": "/ca", "client.id": "me", "socket.nagle.disable": "true",
                      "ssl.key.pem": "key", "ssl.certificate.pem": "certificate",
                      "ssl.key.password": reference("key_password"),
                      "ssl.endpoint.identification.algorithm": "none"})  # fmt: skip
    assert found.refused == ["sasl.kerberos.service.name"]
    for asked in ({"sasl.mechanism": "OAUTHBEARER"}, {}, {"sasl.mechanism": "PLAIN"}):
        assert "sasl.mechanism" in for_java({"security.protocol": "sasl_ssl", **asked}).refused
    assert found.left == ["socket.nagle.disable"]
    assert found.plain == ["ssl.key.pem"]
    settings = {name.removeprefix("properties."): text for name, text in found.settings.items()}
    assert settings == {
        "sasl.mechanism": "GSSAPI", "ssl.truststore.type": "PEM", "ssl.truststore.location": "/ca",
        "ssl.keystore.type": "PEM", "ssl.keystore.key": "key", "client.id": "me",
        "ssl.keystore.certificate.chain": "certificate",
        "ssl.key.password": "$VOLTSTREAM_SECRET_KEY_PASSWORD",
        "ssl.endpoint.identification.algorithm": "",
    }  # fmt: skip
    plain = file.read_text().replace("SECRET broker_password,", "'hush',")
    for target in ("flink", "risingwave"):
        (tmp_path / "plain.sql").write_text(plain)
        with pytest.raises(NotDeployable, match="in the files of the deployment") as error:
            deploy("--target", target, "-f", tmp_path / "plain.sql", "--out", tmp_path / "out")
        assert "SECRET" in str(error.value.hint)
        deploy("--target", target, "-f", tmp_path / "plain.sql", "--out", tmp_path / "left",
               "--leave-refused")  # fmt: skip
    written = [one.read_text() for one in (tmp_path / "left").iterdir()]
    assert not any("'hush'" in text or '"hush"' in text for text in written)


def test_names_are_found_where_the_definition_found_them(file: Path, tmp_path: Path) -> None:
    inside = file.read_text().replace("SECRET broker_password W", "SECRET grid.broker_password W")
    inside = inside.replace("CONNECTION broker", "CONNECTION grid.broker")
    inside = inside.replace("connection = broker", "connection = 'grid.broker'")
    (tmp_path / "inside.sql").write_text(
        f"CREATE SCHEMA grid; {inside} CREATE TABLE here (n INT PRIMARY KEY); "
        "CREATE MATERIALIZED VIEW w AS SELECT n FROM here;"
    )
    out = tmp_path / "out"
    deploy("--target", "flink", "-f", tmp_path / "inside.sql", "--out", out)
    assert '"$VOLTSTREAM_SECRET_GRID_BROKER_PASSWORD"' in (out / "deploy.sql").read_text()
    assert 'SECRET "grid".broker_password' in (out / "feeding.sql").read_text()
    engine = Engine(tmp_path / "node", SystemClock())
    try:
        engine.run("CREATE SCHEMA grid")
        engine.run("CREATE SECRET grid.broker_password WITH (backend = 'meta') AS 'hush'")
        for _, text in split_script((out / "serving.sql").read_text()):
            engine.run(text)
        assert engine.run("SELECT * FROM v") == []
    finally:
        engine.close()


@pytest.mark.parametrize(
    ("secret", "spelling"),
    [
        ("hush", "hush"),
        # As it is; in a statement; in the words of a login there; and as those are read.
        ("a\"b'c\\d", "a\"b'c\\d"),
        ("a\"b'c\\d", "a\"b''c\\d"),
        ("a\"b'c\\d", "a\\\"b''c\\\\d"),
        ("a\"b'c\\d", "a\\\"b'c\\\\d"),
    ],
)
def test_what_a_target_says_has_no_secret_in_it(
    monkeypatch: pytest.MonkeyPatch, secret: str, spelling: str
) -> None:
    monkeypatch.setenv(VARIABLE, secret)
    said = reason(f"org.apache.X: Cannot log in: password={spelling};\n\tat org.apache.Y")
    assert said.endswith(f"password=${VARIABLE};")


def test_who_works_beside_the_job_asks_the_folder(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    deploy("--target", "flink", "-f", file, "--out", out)
    monkeypatch.setenv(VARIABLE, "hush")
    brokers, access = brokers_of(out, None)
    assert (brokers, access["sasl.password"], access["security.protocol"]) == (
        "broker:9093", "hush", "sasl_ssl")  # fmt: skip
    assert brokers_of(None, "k:1") == ("k:1", {})
    assert brokers_of(out, "k:1")[0] == "k:1"
    for folder in (None, tmp_path / "nothing"):
        with pytest.raises(InvalidParameter):
            brokers_of(folder, None)


def test_a_server_tells_connections_and_names_of_secrets(file: Path, address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(file.read_bytes())
        asked = definitions_of(connection)
    assert "hush" not in "".join(asked)
    with studied(asked) as found:
        script = script_for(Target.FLINK, found.catalog, found.reader, Options())
    assert script.access["sasl.password"] == reference("public.broker_password")
