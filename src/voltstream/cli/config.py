"""Settings from defaults, a TOML file, the environment and flags; the later ones win."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from voltstream.core.errors import InvalidParameter
from voltstream.core.limits import (
    EPOCH_INTERVAL_MS,
    EPOCH_ROWS_MAX,
    GATEWAY_PARTITIONS_MAX,
    SOURCE_RETENTION_S,
    TRANSACTION_IDLE_S,
    WRITER_WAIT_S,
)

ENVIRONMENT_PREFIX = "VOLTSTREAM_"
PORT_MAX = 65_535


class KafkaSettings(BaseModel):
    """How every kafka connector reaches its broker."""

    model_config = ConfigDict(extra="forbid")

    bootstrap_override: str | None = Field(
        None, description="host:port that every kafka source and sink uses instead of its own."
    )
    mirror: str | None = Field(
        None, description="host:port of the brokers that get what chargers bring."
    )
    mirror_properties: dict[str, SecretStr] = Field(
        default_factory=dict, description="librdkafka's options for those brokers."
    )
    gateways: str | None = Field(
        None, description="host:port of the brokers that gateways without a database share."
    )
    gateways_properties: dict[str, SecretStr] = Field(
        default_factory=dict, description="librdkafka's options for those brokers."
    )
    gateways_partitions: int = Field(
        12,
        ge=1,
        le=GATEWAY_PARTITIONS_MAX,
        description="Partitions of their topics where they do not exist yet.",
    )
    gateways_share: str = Field(
        "1/1",
        pattern=r"^[1-9][0-9]*/[1-9][0-9]*$",
        description="Which part of their partitions this server reads: 2/3 is the second third.",
    )


class EpochSettings(BaseModel):
    """When an epoch is sealed."""

    model_config = ConfigDict(extra="forbid")

    rows_max: int = Field(EPOCH_ROWS_MAX, ge=1, description="Rows that seal an epoch.")
    interval_ms: int = Field(
        EPOCH_INTERVAL_MS, ge=1, description="Longest wait of a row for company, in milliseconds."
    )


class EngineSettings(BaseModel):
    """What the engine may use."""

    model_config = ConfigDict(extra="forbid")

    threads: int = Field(2, ge=1, description="Threads that one statement may use.")
    memory_mb: int = Field(
        0, ge=0, description="MiB that a database may hold; 0: four fifths of the machine's."
    )


class WriterSettings(BaseModel):
    """How sessions share the one writer."""

    model_config = ConfigDict(extra="forbid")

    idle_s: float = Field(
        TRANSACTION_IDLE_S, gt=0, description="Seconds an idle transaction may hold the writer."
    )
    wait_s: float = Field(
        WRITER_WAIT_S, gt=0, description="Seconds a statement waits for the writer."
    )


class SecretSettings(BaseModel):
    """What secrets are sealed with."""

    model_config = ConfigDict(extra="forbid")

    key: SecretStr | None = Field(
        None, description="Key of the secrets, 16 characters or more; best from the environment."
    )
    key_file: Path | None = Field(None, description="File that holds the key.")


class SourceSettings(BaseModel):
    """What every source does unless its own WITH (…) says otherwise."""

    model_config = ConfigDict(extra="forbid")

    retention_s: int = Field(
        SOURCE_RETENTION_S, ge=1, description="Seconds that a source keeps its rows."
    )


class OcppSettings(BaseModel):
    """How charge points are treated."""

    model_config = ConfigDict(extra="forbid")

    validation: Literal["lenient", "strict"] = Field(
        "lenient", description="Whether a message that breaks its schema is mended or refused."
    )
    anonymous: Literal["never", "local", "always"] = Field(
        "local", description="From where chargers without a password are let in (profile 0)."
    )
    unknown_chargers: Literal["Accepted", "Pending", "Rejected"] = Field(
        "Accepted", description="What a charger that is not in charge_points is answered."
    )
    unknown_tokens: Literal["auto", "accept", "refuse"] = Field(
        "auto", description="Whether tokens that are not in id_tokens may charge."
    )
    heartbeat_s: int = Field(300, ge=1, description="Seconds between heartbeats.")
    retry_s: int = Field(60, ge=1, description="Seconds until a charger that waits asks again.")
    data_transfer: dict[str, tuple[str, ...]] = Field(
        {}, description="Vendors whose DataTransfer is accepted, with their messages; none: all."
    )
    enabled: bool = Field(True, description="Take charge points.")
    call_s: float = Field(30, gt=0, description="Seconds a charger may take to answer a command.")
    ping_s: float = Field(45, gt=0, description="Seconds between pings, and to answer one.")
    settle_s: float = Field(
        5, ge=0, description="Seconds from the end of a whole session to its record."
    )
    settle_gaps_s: float = Field(
        600, ge=0, description="The same while messages of the session are missing."
    )
    settle_offline_s: float = Field(
        86_400, ge=0, description="The same when its charger was offline meanwhile."
    )
    tls_certificate: Path | None = Field(None, description="PEM file: TLS, profiles 2 and 3.")
    tls_key: Path | None = Field(None, description="PEM file with the certificate's key.")
    tls_client_ca: Path | None = Field(
        None, description="PEM file: client certificates signed by it are let in (profile 3)."
    )
    tls_client_crl: Path | None = Field(
        None,
        description="PEM file: certificates that this authority has revoked are refused",
    )


class TlsSettings(BaseModel):
    """Encryption of the PostgreSQL wire and of HTTP."""

    model_config = ConfigDict(extra="forbid")

    enabled: bool = Field(
        False, description="Offer TLS; without a certificate, with one that is made in the data."
    )
    certificate: Path | None = Field(None, description="PEM file; naming it turns TLS on.")
    key: Path | None = Field(None, description="PEM file of the certificate's key.")
    required: bool = Field(
        True, description="Refuse wire clients of other machines that do not use it."
    )


class AuthSettings(BaseModel):
    """How clients prove who they are."""

    model_config = ConfigDict(extra="forbid")

    method: Literal["auto", "scram-sha-256", "password"] = Field(
        "auto",
        description="auto trusts roles without a password on this machine; the others ask all.",
    )
    owner_password: SecretStr | None = Field(
        None, description="Password that the role volt gets at the start, if it has another."
    )
    http_hosts: tuple[str, ...] = Field(
        (), description="Names under which HTTP is reached, beside those of this machine."
    )


class Settings(BaseSettings):
    """Everything `voltstream serve` can be told. Ports: 0 asks the system for a free one."""

    model_config = SettingsConfigDict(
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
    )

    data: Path = Field(Path("volt-data"), description="Directory of the databases.")
    host: str = Field("127.0.0.1", description="Address that the ports are opened on.")
    trust_remote: bool = Field(
        False, description="Let in wire clients of every address; the network is the boundary."
    )
    pg_port: int = Field(4566, ge=0, le=PORT_MAX, description="PostgreSQL wire port.")
    http_port: int = Field(8080, ge=0, le=PORT_MAX, description="HTTP port.")
    ocpp_port: int = Field(9000, ge=0, le=PORT_MAX, description="Charge point port.")
    tls: TlsSettings = TlsSettings()
    auth: AuthSettings = AuthSettings()
    tier: str | None = Field(
        None, description="Where chunks are tiered to: a directory or s3://bucket/prefix."
    )
    kafka: KafkaSettings = KafkaSettings()
    ocpp: OcppSettings = OcppSettings()
    epoch: EpochSettings = EpochSettings()
    source: SourceSettings = SourceSettings()
    writer: WriterSettings = WriterSettings()
    engine: EngineSettings = EngineSettings()
    secrets: SecretSettings = SecretSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Flags win over the environment, which wins over the file."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)

    def options(self) -> dict[str, str]:
        """Return every setting that has a value, as dotted key and text."""
        return dict(_flatten(self.model_dump(mode="json")))


def setting_names(model: type[BaseModel] = Settings, prefix: str = "") -> Iterator[str]:
    """Yield the dotted name of every setting."""
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from setting_names(field.annotation, f"{prefix}{name}.")
        else:
            yield prefix + name


def load_settings(
    config: Path | None = None,
    flags: Mapping[str, object] | None = None,
    assignments: Sequence[str] = (),
) -> Settings:
    """Merge all four places. Raises: InvalidParameter naming the setting and the way out."""
    if config is not None and not config.is_file():
        raise InvalidParameter(f'configuration file "{config}" does not exist')
    chosen: dict[str, Any] = {}
    for assignment in assignments:
        _assign(chosen, assignment)
    chosen |= {name: value for name, value in (flags or {}).items() if value is not None}

    class FileSettings(Settings):
        model_config = SettingsConfigDict(toml_file=config)

    try:
        return FileSettings(**chosen)
    except tomllib.TOMLDecodeError as error:
        raise InvalidParameter(f'cannot read "{config}": {error}') from error
    except ValidationError as error:
        raise _explained(error) from error


def _assign(chosen: dict[str, Any], assignment: str) -> None:
    """Put a dotted ``key=value`` into a nested mapping."""
    key, equals, value = assignment.partition("=")
    if not equals or not key.strip():
        raise InvalidParameter(f'"{assignment}" is not of the form key=value')
    *groups, name = key.strip().lower().split(".")
    for group in groups:
        chosen = chosen.setdefault(group, {})
        if not isinstance(chosen, dict):
            raise InvalidParameter(f'"{group}" is a setting, not a group of settings')
    chosen[name] = value


def _explained(error: ValidationError) -> InvalidParameter:
    """Turn the first complaint into one line, with the nearest name for a name unknown."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] != "extra_forbidden":
        return InvalidParameter(f'setting "{key}": {first["msg"]}')
    near = get_close_matches(key, list(setting_names()), n=1, cutoff=0.5)
    return InvalidParameter(
        f'there is no setting "{key}"',
        hint=f'Perhaps you meant "{near[0]}".' if near else "See docs/reference/configuration.md.",
    )


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        elif value is not None:
            yield prefix + name, str(value)
