"""What the demo shows: a table on a terminal, a line a second elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from voltstream.cli.replay import LOCAL_OFFSET_S
from voltstream.core.ports import Session

SITE_ZONE = timezone(timedelta(seconds=-LOCAL_OFFSET_S))
TOP_SESSIONS = 8
TOP_ALERTS = 6

TOTALS = "SELECT COUNT(*), COALESCE(SUM(power_w), 0) / 1000.0 FROM active_sessions"
ENERGY = (
    "SELECT COALESCE(SUM(energy_kwh), 0) FROM fleet_energy_15min"
    " WHERE window_start >= TIMESTAMPTZ '{day_start}'"
)
ALERT_COUNT = "SELECT COUNT(*) FROM alerts"
ALERTS = (
    f"SELECT rule, entity, since, title FROM alerts ORDER BY since DESC, entity LIMIT {TOP_ALERTS}"
)
SESSIONS = (
    "SELECT charge_point_id, started_at, energy_wh / 1000.0, power_w / 1000.0"
    " FROM active_sessions ORDER BY power_w DESC, energy_wh DESC, charge_point_id"
    f" LIMIT {TOP_SESSIONS}"
)

Values = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Pulse:
    """How the feed does. Units: seconds since 1970, rows, rows/s, ms."""

    at_s: float
    day_start_s: float
    rows: int
    rows_per_s: float
    freshness_ms: float
    freshness_ms_p99: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One look at the views. Units: kW, kWh."""

    pulse: Pulse
    session_count: int
    power_kw: float
    energy_kwh: float
    alert_count: int
    alerts: tuple[Values, ...] = ()
    sessions: tuple[Values, ...] = ()


def look(session: Session, pulse: Pulse, *, details: bool) -> Picture:
    """Ask the views, as any client would."""
    (totals,) = ask(session, TOTALS)
    day_start = datetime.fromtimestamp(pulse.day_start_s, UTC).isoformat()
    (energy,) = ask(session, ENERGY.format(day_start=day_start))
    (alert_count,) = ask(session, ALERT_COUNT)
    return Picture(
        pulse=pulse,
        session_count=int(str(totals[0])),
        power_kw=float(str(totals[1])),
        energy_kwh=float(str(energy[0])),
        alert_count=int(str(alert_count[0])),
        alerts=tuple(ask(session, ALERTS)) if details else (),
        sessions=tuple(ask(session, SESSIONS)) if details else (),
    )


def ask(session: Session, sql: str) -> list[Values]:
    """Run statements; return the rows of the last one."""
    rows: list[Values] = []
    for statement in session.parse(sql):
        outcome = session.execute(statement)
        rows = []
        if outcome.rows is None:
            continue
        try:
            for batch in outcome.rows.batches():
                columns = [column.to_pylist() for column in batch.columns]
                rows.extend(zip(*columns, strict=True))
        finally:
            outcome.rows.close()
    return rows


def plain_line(picture: Picture) -> str:
    """Return one line for a log."""
    pulse = picture.pulse
    return (
        f"{clock_text(pulse.at_s)}  sessions {picture.session_count:3d}"
        f"  power {picture.power_kw:7.1f} kW  energy today {picture.energy_kwh:7.1f} kWh"
        f"  alerts {picture.alert_count:2d}  {pulse.rows_per_s:6.0f} rows/s"
        f"  freshness {pulse.freshness_ms:4.0f} ms"
    )


def clock_text(at_s: float) -> str:
    """Spell an instant as the sites' wall clocks do."""
    return datetime.fromtimestamp(at_s, SITE_ZONE).strftime("%a %d %b %Y %H:%M:%S")


def render(picture: Picture, speed: float, connect: str) -> RenderableType:
    """Draw the live screen."""
    pulse = picture.pulse
    head = Table.grid(padding=(0, 3), expand=True)
    for _ in range(6):
        head.add_column(justify="center", ratio=1)
    head.add_row(
        *(Text(label, style="dim") for label in HEADINGS),
    )
    head.add_row(
        Text(f"{picture.session_count}", style="bold green"),
        Text(f"{picture.power_kw:,.1f} kW", style="bold green"),
        Text(f"{picture.energy_kwh:,.1f} kWh", style="bold green"),
        Text(f"{picture.alert_count}", style="bold red" if picture.alert_count else "bold green"),
        Text(f"{pulse.rows_per_s:,.0f}", style="bold"),
        Text(f"{pulse.freshness_ms:,.0f} ms", style="bold"),
    )
    title = f"Voltstream  ·  {clock_text(pulse.at_s)} in California  ·  x {speed:g}"
    return Group(
        Panel(head, title=title, border_style="blue"),
        _sessions_table(picture),
        _alerts_table(picture),
        Text.assemble("try  ", (connect, "bold cyan")),
        Text("     Ctrl-C ends the demo", style="dim"),
    )


HEADINGS = ("active sessions", "power", "energy today", "alerts", "rows/s", "freshness")


def _sessions_table(picture: Picture) -> Table:
    table = Table(title="strongest sessions", title_justify="left", expand=True, box=None)
    table.add_column("charge point")
    for name in ("since", "kWh", "kW"):
        table.add_column(name, justify="right")
    for charge_point_id, started_at, energy_kwh, power_kw in picture.sessions:
        table.add_row(
            str(charge_point_id),
            _hour(started_at),
            f"{float(str(energy_kwh)):.2f}",
            f"{float(str(power_kw)):.2f}",
        )
    return table


def _alerts_table(picture: Picture) -> Table:
    table = Table(title="open alerts", title_justify="left", expand=True, box=None)
    for name in ("alert", "of", "since", "what"):
        table.add_column(name)
    for rule, entity, since, title in picture.alerts:
        table.add_row(Text(str(rule), style="red"), str(entity), _hour(since), str(title))
    return table


def _hour(instant: object) -> str:
    if not isinstance(instant, datetime):
        return str(instant)
    return instant.astimezone(SITE_ZONE).strftime("%H:%M")
