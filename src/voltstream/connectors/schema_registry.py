"""Schemas of records: from a registry that speaks Confluent's API, or from a place of their own."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Collection, Mapping
from typing import Any, Literal
from urllib.parse import quote

import urllib3
from urllib3.util.retry import Retry

from voltstream.connectors.properties import choice, required
from voltstream.connectors.proto_files import descriptors_of
from voltstream.connectors.schema_location import located
from voltstream.core.errors import FeatureNotSupported, InvalidParameter, RegistryUnavailable
from voltstream.core.limits import (
    SCHEMA_BYTES_MAX,
    SCHEMA_NEWEST_S,
    SCHEMA_UNKNOWN_S,
    SCHEMAS_KEPT_MAX,
)
from voltstream.core.ports import SchemaKind, Schemas, SchemaSet, WrittenSchema

Part = Literal["key", "value"]
CONNECT_S, READ_S, TRIES = 3.0, 10.0, 3
_KINDS: Mapping[str, SchemaKind] = {"avro": "AVRO", "json": "JSON", "protobuf": "PROTOBUF"}
_NOT_FOUND, _CONFLICT, _NO_CONTENT = 404, 409, 422
_STRATEGIES = ("topic_name_strategy", "record_name_strategy", "topic_record_name_strategy")
_MEDIA = "application/vnd.schemaregistry.v1+json"
_log = logging.getLogger(__name__)


def schemas_of(properties: Mapping[str, str], owner: str) -> Schemas | None:
    """Return where records' schemas are kept; None where records have none.

    Raises: InvalidParameter (22023).
    """
    encode = properties.get("encode", "json").strip().lower()
    kind = _KINDS.get(encode)
    if kind is None:
        return None
    message = properties.get("message", "").strip()
    if "schema.location" in properties:
        if kind == "JSON":
            raise InvalidParameter(f'{owner} with ENCODE JSON cannot take "schema.location"')
        return _Located(kind, properties, message, owner)
    if "schema.registry" in properties:
        return SchemaRegistry(kind, properties, message, owner)
    if kind == "JSON":
        return None
    hint = "Name the registry's URL, or the place of a schema as schema.location."
    raise InvalidParameter(
        f'{owner} with ENCODE {encode.upper()} needs the property "schema.registry"', hint=hint
    )


class _Located:
    """One schema in a file of its own; records are bare."""

    def __init__(
        self, kind: SchemaKind, properties: Mapping[str, str], message: str, owner: str
    ) -> None:
        self._kind = kind
        self._place = required(properties, "schema.location", owner)
        self._message = message
        self._owner = owner
        self._found: WrittenSchema | None = None

    def newest(self) -> SchemaSet:
        if self._found is None:
            raw = located(self._place, self._owner)
            if self._kind == "PROTOBUF":
                descriptors = descriptors_of(raw, (), self._owner)
                self._found = WrittenSchema("PROTOBUF", "", (), descriptors)
            else:
                self._found = WrittenSchema(self._kind, raw.decode(errors="replace"))
        return SchemaSet(False, self._found, message=self._message)

    def known(self, ids: Collection[int]) -> SchemaSet:
        del ids
        return self.newest()

    def register(self, part: Part, kind: SchemaKind, text: str) -> int:
        raise FeatureNotSupported(f"{self._owner} needs a registry to write with a schema")


class SchemaRegistry:
    """A registry, its answers remembered: a number's schema never changes."""

    def __init__(
        self, kind: SchemaKind, properties: Mapping[str, str], message: str, owner: str
    ) -> None:
        written = required(properties, "schema.registry", owner)
        self._urls = [url.strip().rstrip("/") for url in written.split(",") if url.strip()]
        for url in self._urls:
            if not url.startswith(("http://", "https://")):
                raise InvalidParameter(f'{owner} cannot take "{url}" as "schema.registry"')
        self._kind = kind
        self._owner = owner
        self._message = message
        self._subjects = _subjects(properties, message, owner)
        self._auto = properties.get("schema.registry.auto.register", "true").lower() != "false"
        # A program's key is its values' registry's, unless its keys are texts or bytes.
        self._keyed = properties.get("format", "plain").lower() in ("upsert", "debezium")
        self._pool = _pool(properties)
        self._by_id: dict[int, WrittenSchema] = {}
        self._unknown: dict[int, float] = {}  # When a number that nobody knew was asked for.
        self._newest: tuple[float, SchemaSet] | None = None

    def newest(self) -> SchemaSet:
        now_s = time.monotonic()
        if self._newest is None or now_s - self._newest[0] > SCHEMA_NEWEST_S:
            found = self._latest(self._subjects["value"])
            if found is None:
                subject = self._subjects["value"]
                raise RegistryUnavailable(
                    f'{self._owner}: the registry has no subject "{subject}"',
                    hint="Register its schema, or name it by schema.registry.name.strategy.",
                )
            key = self._latest(self._subjects["key"]) if self._keyed else None
            number, value = found
            told = SchemaSet(True, value, key and key[1], {number: value}, self._message)
            self._newest = (now_s, told)
        return self._newest[1]

    def known(self, ids: Collection[int]) -> SchemaSet:
        newest = self.newest()
        now_s = time.monotonic()
        for number in sorted(ids):
            asked_s = self._unknown.get(number)
            if number in self._by_id or (
                asked_s is not None and now_s - asked_s < SCHEMA_UNKNOWN_S
            ):
                continue
            answer = self._asked("GET", f"/schemas/ids/{number}")
            if answer is None:
                self._remember_unknown(number, now_s)
            else:
                self._remember(number, self._written(answer))
                self._newest = None  # Somebody has registered: what is newest may be another.
        if self._newest is None:
            newest = self.newest()
        found = {number: self._by_id[number] for number in ids if number in self._by_id}
        return SchemaSet(True, newest.value, newest.key, found, self._message)

    def register(self, part: Part, kind: SchemaKind, text: str) -> int:
        subject = quote(self._subjects[part], safe="")
        body: dict[str, Any] = {"schema": text}
        if kind != "AVRO":  # What is not said is Avro; old registries know no other word.
            body["schemaType"] = kind
        if self._auto:
            answer = self._asked("POST", f"/subjects/{subject}/versions", body)
        else:
            answer = self._asked("POST", f"/subjects/{subject}", body)
        if answer is None:
            named = self._subjects[part]
            raise RegistryUnavailable(
                f'{self._owner}: the registry does not have this schema as "{named}"',
                hint="Register it, or let the sink do so: schema.registry.auto.register = true.",
            )
        return int(answer["id"])

    def _remember(self, number: int, written: WrittenSchema) -> None:
        while len(self._by_id) >= SCHEMAS_KEPT_MAX:
            del self._by_id[next(iter(self._by_id))]
        self._by_id[number] = written

    def _remember_unknown(self, number: int, now_s: float) -> None:
        while len(self._unknown) >= SCHEMAS_KEPT_MAX:
            del self._unknown[next(iter(self._unknown))]
        self._unknown[number] = now_s

    def _latest(self, subject: str) -> tuple[int, WrittenSchema] | None:
        answer = self._asked("GET", f"/subjects/{quote(subject, safe='')}/versions/latest")
        return None if answer is None else (int(answer["id"]), self._written(answer))

    def _written(self, answer: Mapping[str, Any]) -> WrittenSchema:
        kind = str(answer.get("schemaType", "AVRO")).upper()
        text = str(answer["schema"])
        imports: dict[str, str] = {}
        self._follow(answer.get("references") or [], imports)
        pairs = tuple(imports.items())
        match kind:
            case "AVRO":
                return WrittenSchema("AVRO", text, pairs)
            case "JSON":
                return WrittenSchema("JSON", text, pairs)
            case "PROTOBUF":
                descriptors = descriptors_of(text.encode(), pairs, self._owner)
                return WrittenSchema("PROTOBUF", text, pairs, descriptors)
            case _:
                raise FeatureNotSupported(f"{self._owner}: a schema of the kind {kind}")

    def _follow(self, references: list[Any], found: dict[str, str]) -> None:
        """Add what a schema refers to, each after what it refers to itself."""
        for reference in references:
            name = str(reference["name"])
            if name in found or len(found) >= SCHEMAS_KEPT_MAX:
                continue
            subject = quote(str(reference["subject"]), safe="")
            answer = self._asked("GET", f"/subjects/{subject}/versions/{reference['version']}")
            if answer is None:
                raise RegistryUnavailable(f'{self._owner}: the registry has no "{name}"')
            self._follow(answer.get("references") or [], found)
            found[name] = str(answer["schema"])

    def _asked(self, verb: str, path: str, body: Any = None) -> Any:
        """Return the answer as JSON, None where there is no such thing. Asks each URL in turn."""
        reason = ""
        for url in self._urls:
            try:
                answer = self._pool.request(
                    verb,
                    url + path,
                    body=None if body is None else json.dumps(body),
                    headers={**self._pool.headers, "content-type": _MEDIA},
                    redirect=False,
                )
            except urllib3.exceptions.HTTPError as error:
                reason = f"no answer: {type(error).__name__}"
                continue
            if answer.status == _NOT_FOUND:
                return None
            if answer.status == 200 and len(answer.data) <= SCHEMA_BYTES_MAX:
                try:
                    return json.loads(answer.data)
                except ValueError:
                    reason = "it answered what is no JSON"
                    continue
            reason = f"it answered {answer.status}{_told(answer)}"
        raise RegistryUnavailable(
            f"{self._owner}: the schema registry could not be asked: {reason}",
            hint="It is asked again. See schema.registry, its username and its password.",
        )


def _told(answer: Any) -> str:
    """Return what a registry says of its refusal, shortened."""
    if answer.status not in (_CONFLICT, _NO_CONTENT):
        return ""
    try:
        message = str(json.loads(answer.data)["message"])
    except (ValueError, KeyError, TypeError):
        return ""
    return f": {message[:200]}"


def _pool(properties: Mapping[str, str]) -> urllib3.PoolManager:
    headers = {"accept": f"{_MEDIA}, application/json", "user-agent": "voltstream"}
    user = properties.get("schema.registry.username")
    if "schema.registry.token" in properties:
        headers["authorization"] = f"Bearer {properties['schema.registry.token']}"
    elif user is not None:
        password = properties.get("schema.registry.password", "")
        headers |= urllib3.make_headers(basic_auth=f"{user}:{password}")
    options: dict[str, Any] = {}
    if "schema.registry.ca" in properties:
        options["ca_certs"] = properties["schema.registry.ca"]
    return urllib3.PoolManager(
        headers=headers,
        timeout=urllib3.Timeout(connect=CONNECT_S, read=READ_S),
        retries=Retry(
            total=TRIES,
            backoff_factor=0.2,
            status_forcelist=(429, 502, 503, 504),
            allowed_methods=None,  # Registering twice is registering once.
            raise_on_status=False,
        ),
        **options,
    )


def _subjects(properties: Mapping[str, str], message: str, owner: str) -> dict[Part, str]:
    """Return under which subjects a topic's schemas are. Raises: InvalidParameter (22023)."""
    strategy = choice(properties, "schema.registry.name.strategy", _STRATEGIES, owner)
    if strategy == "topic_name_strategy":
        topic = required(properties, "topic", owner)
        return {"value": f"{topic}-value", "key": f"{topic}-key"}
    record = message or required(properties, "message", owner)
    key = properties.get("key.message", f"{record}Key")
    if strategy == "record_name_strategy":
        return {"value": record, "key": key}
    topic = required(properties, "topic", owner)
    return {"value": f"{topic}-{record}", "key": f"{topic}-{key}"}
