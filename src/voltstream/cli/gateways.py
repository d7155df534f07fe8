"""Gateways that share topics: what each is told, and what the server behind them adds."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.cli.address import DATABASE, USER
from voltstream.cli.config import KafkaSettings
from voltstream.connectors.kafka_log import TopicLog
from voltstream.core.errors import InvalidParameter
from voltstream.core.ports import Session, Sessions
from voltstream.ocpp.registry import PUBLISHED


def gateway_properties(settings: KafkaSettings) -> dict[str, str] | None:
    """Return how the gateways' brokers are reached, as a sink's properties; None without one."""
    if settings.gateways is None:
        return None
    options = {
        f"properties.{name}": value.get_secret_value()
        for name, value in settings.gateways_properties.items()
    }
    return {**options, "properties.bootstrap.server": settings.gateways}


def shared_topics(settings: KafkaSettings, owner: str) -> TopicLog:
    """Return the way to the brokers. Raises: InvalidParameter when they are not named."""
    if settings.gateways is None:
        raise InvalidParameter(
            "setting kafka.gateways is missing", hint="Name the brokers: --brokers host:9092."
        )
    options = {
        name: value.get_secret_value() for name, value in settings.gateways_properties.items()
    }
    return TopicLog(settings.gateways, options, owner)


def share_of(settings: KafkaSettings) -> tuple[int, int]:
    """Return which part of the partitions is ours, from 0, and of how many."""
    number, of = map(int, settings.gateways_share.split("/"))
    if number > of:
        raise InvalidParameter(f'"{settings.gateways_share}" is no share: kafka.gateways_share')
    return number - 1, of


def keep_registry(sessions: Sessions, ddl: Sequence[str], *, wanted: bool) -> None:
    """Have who is registered, and the tokens, told to the gateways; or no longer."""
    session = sessions.open(database=DATABASE, user=USER, options={})
    try:
        for text in ddl if wanted else ():
            _run(session, text)
        for topic, (query, key) in PUBLISHED.items():
            name = topic.replace(".", "_")
            if wanted:
                text = (
                    f"CREATE SINK IF NOT EXISTS {name} AS {query} WITH (topic = '{topic}', "
                    f"connector = 'kafka-gateways', primary_key = '{key}') "
                    "FORMAT UPSERT ENCODE JSON"
                )
            else:
                text = f"DROP SINK IF EXISTS {name}"
            _run(session, text)
    finally:
        session.close()


def _run(session: Session, text: str) -> None:
    for statement in session.parse(text):
        outcome = session.execute(statement)
        if outcome.rows is not None:
            outcome.rows.close()
