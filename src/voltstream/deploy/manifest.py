"""What was deployed last, and what another script would change of it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from voltstream.core.errors import InvalidParameter
from voltstream.deploy.script import Part, Script, Statement, Target

FILE = "manifest.json"
# What holds rows of its own: it is never made anew over them.
_HOLDS_ROWS = frozenset({"table", "hypertable", "compression"})


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was made, in order. Shape: ``made`` is (name, kind, hash, undo) of each statement."""

    target: Target
    made: tuple[tuple[str, str, str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a script does beside a deployment: ``undone`` first, in order, then ``made``.

    Shape: ``shown`` has a line for each difference, with + - or ~ before the name.
    """

    undone: tuple[str, ...]
    made: tuple[Statement, ...]
    shown: tuple[str, ...]

    @property
    def none(self) -> bool:
        """Tell that nothing differs. A setting that is taken out undoes and makes nothing."""
        return not self.shown


def deployment_of(script: Script) -> Deployment:
    made = tuple((_label(one), one.kind, _hash(one), one.undo) for one in _parts(script))
    return Deployment(script.target, made)


def _parts(script: Script) -> tuple[Statement, ...]:
    """Return what is compared: on Flink settings too, which are the job's and not a session's."""
    if script.target is not Target.FLINK:
        return script.statements
    settings = (
        Statement(text.split("'")[1], "", "setting", text, part=Part.FLOW)
        for text in script.settings
    )
    return (*settings, *script.statements)


def _label(statement: Statement) -> str:
    return f"{statement.kind} {statement.name}"


def _hash(statement: Statement) -> str:
    return hashlib.sha256(statement.text.encode()).hexdigest()


def changes(before: Deployment, script: Script) -> Changes:
    """Compare a script with what is there.

    What reads is made anew from the first difference on, in order; what holds rows stays.
    Raises: InvalidParameter (22023) for a table that changed or is gone: its rows would be lost;
    for what is gone and cannot be taken back.
    """
    known = {label: (kind, digest, undo) for label, kind, digest, undo in before.made}
    now = {_label(one): one for one in _parts(script)}
    shown: list[str] = []
    shifted = False
    fresh: list[Statement] = []
    redone: set[str] = set()
    for label, statement in now.items():
        if label not in known:
            shown.append(f"+ {label}")
            fresh.append(statement)
            shifted = shifted or statement.part is Part.DEFINITION
            continue
        if known[label][1] != _hash(statement):
            if statement.kind in _HOLDS_ROWS and script.target is not Target.FLINK:
                raise InvalidParameter(
                    f"the {label} is not as it was deployed: making it anew would lose its rows",
                    hint="Change it there by hand, or `voltstream deploy destroy` first.",
                )
            shown.append(f"~ {label}")
            redone.add(label)
            fresh.append(statement)
            shifted = True
        elif shifted and statement.kind not in (*_HOLDS_ROWS, "schema", "source"):
            redone.add(label)
            fresh.append(statement)
    gone = [label for label in known if label not in now]
    shown += [f"- {label}" for label in gone]
    away = redone | set(gone)
    if script.target is not Target.FLINK:
        _refuse(before, gone, away)
    undone = [undo for label, _, _, undo in reversed(before.made) if label in away and undo]
    return Changes(tuple(undone), tuple(fresh), tuple(shown))


def _refuse(before: Deployment, gone: Sequence[str], away: Collection[str]) -> None:
    """Raises: InvalidParameter (22023) where what is gone has rows there, or nothing undoes it."""
    dropped = [(label, kind) for label, kind, _, undo in before.made if undo and label in away]
    names = {label.removeprefix(f"{kind} ") for label, kind in dropped}
    for label, kind, _, undo in before.made:
        if label not in gone:
            continue
        if undo and kind in _HOLDS_ROWS:
            raise InvalidParameter(
                f"the {label} is not in the script any more: dropping it would lose its rows",
                hint="Keep it in the script (and among --only), or `voltstream deploy destroy`, "
                "which drops everything.",
            )
        # What undoes nothing of its own (a policy) goes with the object that it belongs to.
        if not undo and label.removeprefix(f"{kind} ") not in names:
            raise InvalidParameter(
                f"the {label} is not in the script any more, and cannot be taken back",
                hint="Keep it in the script, or `voltstream deploy destroy` first.",
            )


def reached(before: Deployment, planned: Changes, undone: int, made: int) -> Deployment:
    """Return what is there when a submission ended after so many of its statements."""
    texts = planned.undone[:undone]
    gone = {(kind, label) for label, kind, _, undo in before.made if undo and undo in texts}
    names = {label.removeprefix(f"{kind} ") for kind, label in gone}
    # What undoes nothing of its own (a policy) goes with the object that it belongs to.
    left = [
        one
        for one in before.made
        if one[3] not in texts and (one[3] or one[0].removeprefix(f"{one[1]} ") not in names)
    ]
    fresh = [(_label(one), one.kind, _hash(one), one.undo) for one in planned.made[:made]]
    return Deployment(before.target, (*left, *fresh))


def load(folder: Path, target: Target) -> Deployment:
    """Read a manifest; an empty one where there is none. Raises: InvalidParameter (22023)."""
    path = folder / FILE
    if not path.exists():
        return Deployment(target)
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        found = Target(read["target"])
        made = tuple((one["name"], one["kind"], one["sha256"], one["undo"]) for one in read["made"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidParameter(f'cannot read the manifest "{path}": {error}') from error
    if found is not target:
        raise InvalidParameter(
            f'"{folder}" is a deployment to {found.value}, not to {target.value}',
            hint="Give each target a folder of its own.",
        )
    return Deployment(found, made)


def save(folder: Path, deployment: Deployment) -> None:
    """Write a manifest: whole or not at all."""
    made: Sequence[Mapping[str, str]] = [
        {"name": label, "kind": kind, "sha256": digest, "undo": undo}
        for label, kind, digest, undo in deployment.made
    ]
    folder.mkdir(parents=True, exist_ok=True)
    draft = folder / (FILE + ".new")
    text = json.dumps({"target": deployment.target.value, "made": made}, indent=1)
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(folder / FILE)
