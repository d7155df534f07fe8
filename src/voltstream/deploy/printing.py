"""A script as text: what is submitted, and what takes it away again."""

from __future__ import annotations

from voltstream.deploy.script import Part, Script


def script_text(script: Script) -> str:
    """Return the statements in order, each object's notes before its first one."""
    lines = [f"{setting};" for setting in script.settings]
    told: set[str] = set()
    for statement in script.statements:
        if statement.part is Part.FLOW:
            continue
        lines += ["", *_notes(script, statement.object, told), f"{statement.text};"]
    flows = script.flows
    if flows:
        lines += ["", "EXECUTE STATEMENT SET BEGIN"]
        lines += [f"{flow.text};" for flow in flows]
        lines.append("END;")
    for note in script.notes:
        if note.object not in told:
            lines += ["", *_notes(script, note.object, told)]
    return "\n".join(lines).strip() + "\n"


def _notes(script: Script, name: str, told: set[str]) -> list[str]:
    if name in told:
        return []
    told.add(name)
    return [
        f"-- {name}: {note.fidelity.value}: {note.said}"
        + (f" ({note.instead.rstrip('.')})" if note.instead else "")
        for note in script.notes
        if note.object == name
    ]


def undoing_text(script: Script) -> str:
    """Return what takes everything away, the last first."""
    lines = [f"{one.undo};" for one in reversed(script.statements) if one.undo]
    return "\n".join(lines) + "\n"
