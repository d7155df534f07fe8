"""Runs commands: a row when one is sent, a row with what came of it."""

from __future__ import annotations

import asyncio
import json
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from voltstream.core.clock import Clock
from voltstream.core.errors import InvalidParameter, UndefinedFunction
from voltstream.core.ports import CommandResult
from voltstream.ocpp.asking import literal
from voltstream.ocpp.calling import CommandRefused, Unanswered
from voltstream.ocpp.commands import PARAMETERS, message, redacted
from voltstream.ocpp.draft import Row
from voltstream.ocpp.far_commands import FarCommands
from voltstream.ocpp.frames import Json, document
from voltstream.ocpp.gateway import Gateway
from voltstream.ocpp.passwords import hashed
from voltstream.ocpp.told_variables import told_variables

SET_PASSWORD = "ocpp_set_password"
_REQUEST_IDS = 2**31 - 1


class Commander:
    """The port through which sessions and HTTP reach chargers, from any thread."""

    def __init__(self, gateway: Gateway, clock: Clock, far: FarCommands | None = None) -> None:
        self._gateway = gateway
        self._far = far
        self._clock = clock
        self._loop = asyncio.get_running_loop()

    def run(self, function: str, arguments: Sequence[str | None]) -> CommandResult:
        """Run a function and wait for what comes of it.

        Raises: UndefinedFunction (42883), InvalidParameter (22023).
        """
        parameters = (
            ("password", "security_profile")
            if function == SET_PASSWORD
            else PARAMETERS.get(function)
        )
        if parameters is None:
            raise UndefinedFunction(f"function {function}() does not exist")
        if not arguments or not arguments[0] or len(arguments) > len(parameters) + 1:
            known = ", ".join(("charge_point_id", *parameters))
            raise UndefinedFunction(f"function {function} takes ({known})")
        given = dict(zip(parameters, arguments[1:], strict=False))
        work = self._set_password if function == SET_PASSWORD else self._command
        future = asyncio.run_coroutine_threadsafe(work(function, arguments[0], given), self._loop)
        return future.result()

    async def _command(
        self, function: str, charger: str, given: dict[str, str | None]
    ) -> CommandResult:
        await self._gateway.prepare()
        known = self._gateway.links.get(charger)
        if known is None and self._far is not None:
            return await self._elsewhere(self._far, function, charger, given)
        if known is None:
            raise InvalidParameter(
                f'charge point "{charger}" is not connected',
                hint="SELECT * FROM charger_connections tells when it was.",
            )
        link = known[0]
        number = self._gateway.fleet.next_id() % _REQUEST_IDS
        action, payload = message(link.version, function, given, number)
        command_id = str(uuid.uuid4())
        kept = document(redacted(payload))
        await self._note(command_id, charger, action, kept, "sent")
        state, status, reply = "answered", None, None
        try:
            answer = await link.call(command_id, action, payload)
            found = answer.get("status")
            status, reply = found if isinstance(found, str) else None, document(redacted(answer))
            await self._keep_told(charger, action, payload, answer)
        except CommandRefused as refused:
            state, status, reply = "refused", refused.code, refused.detail
        except Unanswered as unanswered:
            state, reply = "unanswered", str(unanswered)
        await self._note(command_id, charger, action, kept, state, status, reply)
        return CommandResult(command_id, charger, action, state, status, reply)

    async def _elsewhere(
        self, far: FarCommands, function: str, charger: str, given: dict[str, str | None]
    ) -> CommandResult:
        """Have the gateway that has the charger run a command."""
        number = self._gateway.fleet.next_id() % _REQUEST_IDS
        command_id, last = str(uuid.uuid4()), None
        async for last in far.run(command_id, charger, function, given, number):
            if last.state == "impossible":
                raise InvalidParameter(last.reply or "the command cannot be sent")
            await self._note(
                command_id, charger, last.action, last.payload, last.state, last.status, last.reply
            )
        if last is None:
            raise InvalidParameter(
                f'charge point "{charger}" is not connected to any gateway',
                hint="SELECT * FROM charger_connections tells when it was.",
            )
        if last.state == "answered" and last.reply is not None:
            payload, reply = json.loads(last.payload), json.loads(last.reply)
            await self._keep_told(charger, last.action, payload, reply)
        return CommandResult(command_id, charger, last.action, last.state, last.status, last.reply)

    async def _keep_told(
        self, charger: str, action: str, payload: Mapping[str, Any], reply: Json
    ) -> None:
        rows = told_variables(charger, action, payload, reply, self._clock.now_us())
        if rows:
            await self._gateway.journal.commit({"charger_variables": rows})

    async def _note(
        self,
        command_id: str,
        charger: str,
        action: str,
        payload: str,
        state: str,
        status: str | None = None,
        reply: str | None = None,
    ) -> None:
        row: Row = {
            "command_id": command_id,
            "charge_point_id": charger,
            "action": action,
            "payload": payload,
            "state": state,
            "status": status,
            "reply": reply,
            "at": self._clock.now_us(),
        }
        await self._gateway.journal.commit({"charger_commands": [row]})

    async def _set_password(
        self, function: str, charger: str, given: dict[str, str | None]
    ) -> CommandResult:
        """Keep the hash of a charger's password; its security profile is never lowered."""
        await self._gateway.prepare()
        password = given.get("password")
        if password is None:
            raise InvalidParameter("the parameter password is missing")
        profile = given.get("security_profile") or "1"
        if profile not in ("1", "2", "3"):
            raise InvalidParameter("a security profile is 1, 2 or 3")
        known = await self._gateway.fleet.registered(charger)
        least = max(int(profile), known.security_profile if known is not None else 0)
        secret = await asyncio.to_thread(hashed, password)
        await self._gateway.asker.rows(
            "INSERT INTO charge_point_secrets VALUES "
            f"({literal(charger)}, {literal(secret)}, {least}, NOW()) "
            "ON CONFLICT (charge_point_id) DO UPDATE SET secret_hash = EXCLUDED.secret_hash, "
            "security_profile = EXCLUDED.security_profile, changed_at = EXCLUDED.changed_at"
        )
        return CommandResult("", charger, function, "kept", f"profile {least}", None)
