"""What a target is told: ordered statements, what they put where, and how faithful they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from voltstream.core.errors import FeatureNotSupported
from voltstream.sql.targets.features import Fidelity

# Columns of a topic that are not the view's: a key of its own, and how often a row is there.
KEY, COPIES = "_key", "_copies"


class Target(Enum):
    FLINK = "flink"
    RISINGWAVE = "risingwave"
    TIMESCALEDB = "timescaledb"


@dataclass(frozen=True, slots=True)
class Note:
    """What is said of one object: ``feature`` is a row of the published matrix.

    Shape: ``said`` is how it is approximated or why it is refused; ``instead`` the way out.
    """

    object: str
    feature: str
    fidelity: Fidelity
    said: str
    instead: str = ""


class Part(Enum):
    """When a statement is submitted: every definition first, then all flows together as one job.

    Only Flink has flows (INSERT INTO … SELECT …); the others keep views by themselves.
    """

    DEFINITION = "definition"
    FLOW = "flow"


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement for the target.

    Shape: ``name`` is what it makes there, ``object`` the object here ("public.last_heartbeat")
    that it is made for; ``kind`` is the target's word for it (table, view, materialized view,
    source, sink, insert, policy …). ``key`` are the columns that identify a row, when some do.
    ``undo`` takes it away again; empty where something else does. Text has no semicolon.
    """

    name: str
    object: str
    kind: str
    text: str
    undo: str = ""
    key: tuple[str, ...] = ()
    part: Part = Part.DEFINITION


@dataclass(frozen=True, slots=True)
class Field:
    """A column of an output: ``type`` as PostgreSQL spells it."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class Output:
    """A view's rows as the target publishes them, for who serves them on.

    Shape: ``topic`` holds one JSON record for each row of ``fields``, under the JSON of its
    ``key`` columns; a record without a value takes the row away. ``copies`` names the column that
    says how often a row occurs, where the view has no key of its own. ``shown`` gives the view's
    public columns as expressions over ``fields``, NOW() among them, in PostgreSQL's words; NULL
    where it cannot be spelled there.
    """

    object: str
    name: str
    topic: str
    fields: tuple[Field, ...]
    key: tuple[str, ...]
    copies: str | None = None
    shown: tuple[tuple[str, str | None], ...] = ()


@dataclass(frozen=True, slots=True)
class Script:
    """Everything that one target is told, in order.

    Shape: ``settings`` come first and make nothing that is taken away; ``objects`` are the names of
    those here that were asked for, what they read included. ``brokers`` are those of the topics
    that are made, ``access`` how they are reached, in librdkafka's names; secrets are named.
    ``fed`` are topics that only a serving node reads, and whether the latest of a key counts.
    """

    target: Target
    settings: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()
    outputs: tuple[Output, ...] = ()
    notes: tuple[Note, ...] = ()
    objects: tuple[str, ...] = field(default=())
    brokers: str | None = None
    access: Mapping[str, str] = field(default_factory=dict)
    fed: Mapping[str, bool] = field(default_factory=dict)

    @property
    def definitions(self) -> tuple[Statement, ...]:
        return tuple(one for one in self.statements if one.part is Part.DEFINITION)

    @property
    def flows(self) -> tuple[Statement, ...]:
        return tuple(one for one in self.statements if one.part is Part.FLOW)

    @property
    def refused(self) -> tuple[Note, ...]:
        return tuple(note for note in self.notes if note.fidelity is Fidelity.REFUSED)


def topic_of(prefix: str, schema: str, name: str) -> str:
    """Return the topic that is made for an object."""
    return prefix + (name if schema == "public" else f"{schema}.{name}")


class NotDeployable(FeatureNotSupported):
    """The target cannot keep the definition, not even nearly."""


def refuse(script: Script) -> None:
    """Raises: NotDeployable (0A000) when anything of a script is refused; nothing was sent."""
    if not script.refused:
        return
    first = script.refused[0]
    others = [f"{note.object}: {note.feature}: {note.said}" for note in script.refused[1:]]
    raise NotDeployable(
        f'"{first.object}" cannot be deployed to {script.target.value}: {first.said}',
        detail="\n".join(others) or None,
        hint=first.instead or "Leave it out with --only, and let Voltstream keep it.",
    )
