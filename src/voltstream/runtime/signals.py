"""LISTEN, NOTIFY and UNLISTEN of one session: what a block has said becomes true with it."""

from __future__ import annotations

from collections.abc import Sequence

from voltstream.core.errors import (
    InsufficientPrivilege,
    InvalidParameter,
    LimitExceeded,
    ReservedName,
    UndefinedTable,
    WrongObjectType,
)
from voltstream.core.limits import NOTIFICATION_BYTES_MAX, NOTIFICATIONS_SAID_MAX
from voltstream.core.ports import Notice, Notification, Outcome
from voltstream.runtime.access import Access
from voltstream.runtime.catalog import DEFAULT_SCHEMA, Entry
from voltstream.runtime.channels import Channels, Mailbox
from voltstream.sql.channels import (
    CHANGES_OF,
    Listen,
    Notify,
    Unlisten,
    checked_channel,
    watched_names,
)
from voltstream.sql.statements import ObjectName

SignalStatement = Listen | Unlisten | Notify
_Act = tuple[str, str, int | str | None]  # Verb, channel, and the relation or payload.
_CHANGING = ("table", "materialized view", "source")


class Signals:
    """What a session listens to, and what its block has yet to do about it (a block's Party)."""

    def __init__(self, channels: Channels, process_id: int) -> None:
        self._channels = channels
        self._process_id = process_id
        self._mailbox = Mailbox()
        self._said: list[_Act] = []
        self._known: set[_Act] = set()

    @property
    def mailbox(self) -> Mailbox:
        return self._mailbox

    @property
    def listening(self) -> list[str]:
        return sorted(self._mailbox.channels)

    def run(self, parsed: SignalStatement, access: Access) -> Outcome:
        """Do what a statement says, at the end of its block if it is in one.

        Raises: 22023, 42939; of changes 42P01, 42809, 42501.
        """
        match parsed:
            case Listen(channel=channel):
                self._say(("listen", channel, _target(checked_listening(channel), access)))
            case Unlisten(channel=channel):
                self._say(("unlisten", channel or "", None))
            case Notify(channel=channel, payload=payload):
                check_notification(channel, payload)
                if (act := ("notify", channel, payload)) not in self._known:
                    self._say(act)
        if access.block.transaction is None:
            self.committed()
        return Outcome(type(parsed).__name__.upper())

    def _say(self, act: _Act) -> None:
        if len(self._said) >= NOTIFICATIONS_SAID_MAX:
            raise LimitExceeded("too many notifications in the NOTIFY queue")
        self._said.append(act)
        if act[0] == "notify":  # The same payload on the same channel is told once in a block.
            self._known.add(act)

    def forget_all(self) -> None:
        """UNLISTEN *, outside a block."""
        self._channels.subscribe(self._mailbox, {})

    def take(self, access: Access) -> Sequence[Notification | Notice]:
        """Empty the queue. Who may no longer read a relation hears no more of its changes."""
        if self._mailbox.is_empty:
            return ()

        def name_of(oid: int) -> str | None:
            entry = access.catalog.by_oid(oid)
            return _readable_name(entry, access) if entry is not None else None

        return self._mailbox.take(name_of)

    def close(self) -> None:
        self._said.clear()
        self._channels.subscribe(self._mailbox, {})

    # --- block.Party ----------------------------------------------------------------------------

    @property
    def state(self) -> object:
        return len(self._said)

    def restore(self, state: object) -> None:
        if isinstance(state, int):
            del self._said[state:]
            self._known &= set(self._said)

    def committed(self) -> None:
        said, self._said = self._said, []
        self._known.clear()
        channels = dict(self._mailbox.channels)
        for verb, channel, target in said:
            if verb == "listen":
                channels[channel] = target if isinstance(target, int) else None
            elif verb == "unlisten" and channel:
                channels.pop(channel, None)
            elif verb == "unlisten":
                channels.clear()
        if channels != self._mailbox.channels:
            self._channels.subscribe(self._mailbox, channels)
        told = [(channel, str(payload)) for verb, channel, payload in said if verb == "notify"]
        if told:
            self._channels.notify(told, self._process_id)


def check_notification(channel: str, payload: str) -> None:
    """Raises: InvalidParameter (22023), ReservedName (42939)."""
    if channel.startswith(CHANGES_OF):
        raise ReservedName(
            f'channel "{channel}" is reserved', detail="Epochs alone tell of changes of a relation."
        )
    checked_channel(channel)
    if len(payload.encode()) >= NOTIFICATION_BYTES_MAX:
        raise InvalidParameter("payload string too long")


def checked_listening(channel: str) -> str:
    return channel if channel.startswith(CHANGES_OF) else checked_channel(channel)


def _target(channel: str, access: Access) -> int | None:
    """Return the relation of a channel of changes. Raises: 42P01, 42809, 42501."""
    names = watched_names(channel)
    if not names:
        return None
    found = next((entry for name in names if (entry := _named(name, access))), None)
    if found is None:
        raise UndefinedTable(f'relation "{channel.removeprefix(CHANGES_OF)}" does not exist')
    access.permits().need_read(found)
    if found.kind not in _CHANGING:
        raise WrongObjectType(
            f'changes of {found.kind} "{found.stored.name}" are not known',
            hint="Listen to changes of a table, a source or a materialized view.",
        )
    return found.oid


def _readable_name(entry: Entry, access: Access) -> str | None:
    try:
        access.permits().need_read(entry)
    except InsufficientPrivilege:
        return None
    return f"{entry.stored.schema or DEFAULT_SCHEMA}.{entry.stored.name}"


def _named(name: ObjectName, access: Access) -> Entry | None:
    if name.schema is not None:
        return access.catalog.get(name.schema, name.name)
    return next(
        (
            entry
            for schema in access.scope().path
            if (entry := access.catalog.get(schema, name.name)) is not None
        ),
        None,
    )
