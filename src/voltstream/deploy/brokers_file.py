"""``brokers.json``: how the brokers of a deployment are reached, for who works beside the job."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from voltstream.core.errors import InvalidParameter
from voltstream.core.references import reference, referenced
from voltstream.deploy.kafka_access import connecting
from voltstream.deploy.script import Script

FILE = "brokers.json"
_SECRET = "secret"


def text_of(script: Script) -> str:
    """Return the file's text. Law: a secret is in it by its name."""
    access = {
        name: value if (secret := referenced(value)) is None else {_SECRET: secret}
        for name, value in script.access.items()
    }
    return json.dumps({"brokers": script.brokers, "access": access}, indent=1) + "\n"


def brokers_of(folder: Path | None, kafka: str | None) -> tuple[str, Mapping[str, str]]:
    """Return the brokers, and what our client is told beside: of a folder, or by their address.

    Raises: InvalidParameter (22023).
    """
    if folder is None:
        if kafka is None:
            raise InvalidParameter("no brokers are named", hint="--kafka host:port, or --out DIR.")
        return kafka, {}
    path = folder / FILE
    try:
        told: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        access = {
            str(name): reference(value[_SECRET]) if isinstance(value, dict) else str(value)
            for name, value in told["access"].items()
        }
        brokers = kafka or told["brokers"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidParameter(
            f'cannot read "{path}": {error}', hint="`voltstream deploy --target flink` writes it."
        ) from error
    if not brokers:
        raise InvalidParameter(f'"{path}" names no brokers', hint="--kafka host:port.")
    return str(brokers), connecting(access)
