"""The live page in a real browser, against a real server: what it shows is what SQL says."""

from __future__ import annotations

import math
import os
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect, sync_playwright

from tests.cli.test_verbs import Served, run, start

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
AXE = Path(__file__).parents[2] / ".venv/axe/node_modules/axe-core/axe.min.js"
PICTURES = Path(os.environ.get("VOLTSTREAM_SCREENSHOTS", "bench/out/page"))
PAGES = ("overview", "chargers", "sessions", "grid", "alerts", "streams", "storage", "sql")
# Each page with all that it can show opened.
OPENED = (
    "overview?pack=ocpp",
    "chargers?id=CP-1",
    "sessions?session=CP-2/T-9",
    "grid?transformer=TX-1",
    "alerts?suppressed=1",
    "streams?of=active_sessions",
    "storage?table=readings",
    "sql?q=SELECT+at,+value+FROM+readings&run=1",
)
WAIT_MS = 60_000
TOLD = {"MINOR": "1 with minor differences", "DISPUTED": "1 disputed"}
LONG = (
    "SELECT count(*) FROM generate_series(1, 200000) AS a(n)"
    " CROSS JOIN generate_series(1, 200000) AS b(m) WHERE n * m % 7 = 3"
)
INSTALL_S_MAX = 280.0  # Beside other work.

expect.set_options(timeout=WAIT_MS)
pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
    pytest.mark.xdist_group("browser"),
]

FEED = """
INSERT INTO charge_points (charge_point_id, site, registered_at) VALUES
    ('CP-1', 'north', now() - INTERVAL '1 day'), ('CP-2', 'south', now() - INTERVAL '1 day');
INSERT INTO charger_boots (charge_point_id, vendor, model, firmware_version, ocpp_version, event_ts, received_ts)
    VALUES ('CP-1', 'Volta', 'V2', '1.4', '1.6', now() - INTERVAL '1 hour', now());
INSERT INTO charger_status (charge_point_id, evse_id, connector_id, status, event_ts, received_ts)
    VALUES ('CP-1', 1, 1, 'Charging', now() - INTERVAL '30 minutes', now());
INSERT INTO charger_transactions
    (charge_point_id, evse_id, connector_id, transaction_id, event_type, id_tag, meter_wh, event_ts, received_ts)
    VALUES ('CP-1', 1, 1, 'T-7', 'START', 'TAG', 1000, now() - INTERVAL '30 minutes', now());
INSERT INTO charger_readings
    (charge_point_id, evse_id, connector_id, transaction_id, measurand, context, location, value, unit,
     value_si, unit_si, event_ts, received_ts)
    SELECT 'CP-1', 1, 1, 'T-7', 'Power.Active.Import', 'Sample.Periodic', 'Outlet', 7200, 'W', 7200, 'W',
           now() - n * INTERVAL '1 minute', now()
    FROM generate_series(1, 20) AS n;
CREATE TABLE readings (at TIMESTAMPTZ, value DOUBLE PRECISION);
SELECT create_hypertable('readings', by_range('at'));
INSERT INTO readings SELECT now() - n * INTERVAL '1 day', n FROM generate_series(1, 20) AS n;
"""  # noqa: E501

ENDED = """
INSERT INTO charger_transactions
    (charge_point_id, evse_id, connector_id, transaction_id, event_type, id_tag, meter_wh, event_ts, received_ts)
    VALUES ('CP-2', 1, 1, 'T-9', 'START', 'TAG', 0, now() - INTERVAL '3 hours', now()),
           ('CP-2', 1, 1, 'T-9', 'STOP', 'TAG', 2000, now() - INTERVAL '2 hours', now());
INSERT INTO charger_readings
    (charge_point_id, evse_id, connector_id, transaction_id, measurand, context, location, value, unit,
     value_si, unit_si, event_ts, received_ts)
    SELECT 'CP-2', 1, 1, 'T-9', 'Power.Active.Import', 'Sample.Periodic', 'Outlet', 1000, 'W', 1000, 'W',
           now() - INTERVAL '3 hours' + n * INTERVAL '1 minute', now()
    FROM generate_series(0, 60) AS n;
INSERT INTO charger_readings
    (charge_point_id, evse_id, connector_id, transaction_id, measurand, context, location, value, unit,
     value_si, unit_si, event_ts, received_ts)
    SELECT 'CP-2', 1, 1, 'T-9', 'Energy.Active.Import.Register', 'Sample.Periodic', 'Outlet', n * 16, 'Wh', n * 16, 'Wh',
           now() - INTERVAL '3 hours' + n * INTERVAL '1 minute', now()
    FROM generate_series(0, 60) AS n
"""  # noqa: E501


# One transformer has too little voltage for three windows; the other is dark for twenty minutes.
# One meter of the first is well, and one has no place.
GRID = """
SET search_path TO ami, public;
INSERT INTO transformers (transformer_id, valid_from, feeder_id, kva, lon, lat) VALUES
    ('TX-1', now() - INTERVAL '30 days', 'F-1', 100, 9.10, 48.70),
    ('TX-2', now() - INTERVAL '30 days', 'F-1', 160, 9.11, 48.71);
INSERT INTO meter_registry (meter_id, valid_from, transformer_id, nominal_v, lon, lat)
    SELECT 'M-' || n, now() - INTERVAL '30 days', 'TX-' || 1 + (n - 1) / 6, 230,
           CASE WHEN n <> 6 THEN 9.10 + n * 0.001 END, CASE WHEN n <> 6 THEN 48.705 END FROM generate_series(1, 12) AS n;
INSERT INTO interval_reads (meter_id, interval_start, interval_end, delivered_kwh, voltage_v, received_at)
    SELECT 'M-' || n, at, at + INTERVAL '15 minutes', 0.5, CASE WHEN n BETWEEN 2 AND 6 THEN 200 ELSE 231 END, at + INTERVAL '16 minutes'
    FROM generate_series(1, 12) AS n,
         generate_series(time_bucket(INTERVAL '15 minutes', now()) - INTERVAL '90 minutes',
                         time_bucket(INTERVAL '15 minutes', now()) - INTERVAL '60 minutes', INTERVAL '15 minutes') AS at;
INSERT INTO meter_events (meter_id, raw_code, type_code, occurred_at, received_at)
    SELECT 'M-' || n, '3.26.0.85', '3.26.0.85', now() - INTERVAL '20 minutes', now() - INTERVAL '19 minutes'
    FROM generate_series(7, 12) AS n;
"""  # noqa: E501


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    served = start(tmp_path_factory.mktemp("page") / "data")
    try:
        for pack in ("ocpp", "ami"):
            installed = run(
                "pack", "install", pack, "--pg-port", served.pg_port, timeout_s=INSTALL_S_MAX
            )
            assert installed.returncode == 0, installed.stderr
        with connect(served) as session:
            session.execute(FEED)
            session.execute(ENDED)
            session.execute(GRID)
        yield served
    finally:
        end(served)


def end(server: Served) -> None:
    server.stop(signal.SIGTERM)
    if server.process.stdout is not None:
        server.process.stdout.close()


def connect(server: Served) -> psycopg.Connection[tuple[object, ...]]:
    return psycopg.connect(
        host="127.0.0.1", port=int(server.pg_port), user="volt", dbname="volt", autocommit=True
    )


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as driver:
        made = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield made
        made.close()


@pytest.fixture
def tab(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(WAIT_MS)
    yield context.new_page()
    context.close()


def address(server: Served, page: str) -> str:
    return f"http://127.0.0.1:{server.http_port}/#/{page}"


def tile(tab: Page, name: str) -> Locator:
    """Return the figure of a tile."""
    named = tab.locator(".tile", has=tab.locator(".name", has_text=re.compile(f"^{name}$")))
    return named.locator("strong")


@pytest.mark.parametrize("name", PAGES)
def test_each_page_shows_without_a_word_of_trouble(server: Served, tab: Page, name: str) -> None:
    told: list[str] = []
    tab.on("console", lambda message: told.extend([message.text] * (message.type == "error")))
    tab.on("pageerror", lambda error: told.append(str(error)))
    tab.goto(address(server, name))
    tab.wait_for_selector("nav a[aria-current=page]")
    expect(tab.locator(".fresh")).not_to_contain_text("connecting")
    tab.wait_for_timeout(500)
    PICTURES.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    assert tab.locator("h1").inner_text().lower() == name
    assert told == []


@pytest.mark.skipif(not AXE.exists(), reason="axe-core is not installed")
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everybody_can_use_each_page(server: Served, browser: Browser, theme: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    # The page's own policy would keep the checker out.
    context = browser.new_context(bypass_csp=True, reduced_motion="reduce")
    tab = context.new_page()
    tab.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    tab.add_init_script(AXE.read_text())
    try:
        for name in OPENED:
            tab.goto(address(server, name))
            expect(tab.locator(".fresh")).not_to_contain_text("connecting")
            if name.startswith("sessions"):
                tab.get_by_role("button", name="Verify the chain").click()
                expect(tab.get_by_text("the chain holds")).to_be_visible()
            expect(tab.locator(".tile strong", has_text="…")).to_have_count(0)
            tab.wait_for_timeout(500)
            tab.screenshot(path=PICTURES / f"{name.partition('?')[0]}-{theme}.png", full_page=True)
            asked = "axe.run({runOnly: ['wcag2a', 'wcag2aa']}).then((r) => r.violations)"
            found = tab.evaluate(asked)
            told = [(one["id"], one["nodes"][0]["html"][:200]) for one in found]
            assert told == [], f"{name}, {theme}"
    finally:
        context.close()


def test_figures_are_those_of_sql(server: Served, tab: Page) -> None:
    with connect(server) as session:
        chargers = session.execute("SELECT count(*) FROM charge_points").fetchall()[0][0]
    tab.goto(address(server, "chargers"))
    fleet = tab.locator(".tile", has_text="Chargers").locator("strong")
    expect(fleet).to_have_text(str(chargers))
    expect(tab.get_by_role("region", name="chargers")).to_contain_text("CP-1")
    tab.get_by_role("button", name="CP-1", exact=True).click()
    connectors = tab.get_by_role("region", name="connectors of CP-1")
    expect(connectors).to_contain_text("Charging")
    assert "id=CP-1" in tab.url
    tab.goto(address(server, "sessions"))
    running = tab.get_by_role("region", name="running sessions")
    expect(running).to_contain_text("T-7")
    expect(running).to_contain_text("7.2")


def test_a_change_arrives_by_itself(server: Served, tab: Page) -> None:
    tab.goto(address(server, "sessions"))
    expect(tab.get_by_role("region", name="running sessions")).to_contain_text("T-7")
    with connect(server) as session:
        session.execute(
            "INSERT INTO charger_transactions (charge_point_id, evse_id, connector_id,"
            " transaction_id, event_type, id_tag, meter_wh, event_ts, received_ts)"
            " VALUES ('CP-2', 1, 1, 'T-8', 'START', 'TAG', 0, now(), now())"
        )
    expect(tab.get_by_role("region", name="running sessions")).to_contain_text("T-8")


def test_panels_of_packs_are_shown(server: Served, tab: Page) -> None:
    tab.goto(address(server, "overview?pack=ocpp"))
    with connect(server) as session:
        titles = session.execute(
            "SELECT title FROM installed_panels WHERE pack = 'ocpp' ORDER BY place"
        ).fetchall()
    panels = tab.locator(".panel")
    expect(panels).to_have_count(len(titles))
    expect(panels.get_by_role("heading")).to_have_text([str(title) for (title,) in titles])
    expect(tab.get_by_role("region", name="Active sessions")).to_contain_text("T-7")
    expect(panels.get_by_role("alert")).to_have_count(0)


def test_a_disputed_session_is_seen_and_records_are_proved(server: Served, tab: Page) -> None:
    with connect(server) as session:
        [(outcome,)] = session.execute(
            "SELECT outcome FROM billing_reconciliation WHERE transaction_id = 'T-9'"
        ).fetchall()
    tab.goto(address(server, "sessions?session=CP-2/T-9"))
    picture = tab.get_by_role("img", name="Billed energy")
    expect(picture).to_have_attribute(
        "aria-label", re.compile(rf"1 sessions: .*{TOLD[str(outcome)]}")
    )
    expect(tab.get_by_role("table", name="Energy by each way")).to_contain_text("2 kWh")
    tab.get_by_role("button", name="Verify the chain").click()
    expect(tab.get_by_text("0 records, the chain holds")).to_be_visible()
    with tab.expect_download() as download:
        tab.get_by_role("link", name="OCPI 2.2.1").click()
    assert download.value.suggested_filename == "charge-detail-records.ocpi-2.2.1.ndjson"


def test_what_a_charger_did_is_drawn(server: Served, tab: Page) -> None:
    tab.goto(address(server, "chargers?id=CP-1"))
    timeline = tab.get_by_role("img", name="States of 24 hours")
    expect(timeline).to_be_visible()
    expect(tab.get_by_role("img", name="Power and battery")).to_be_visible()
    tab.get_by_label("Command to CP-1").select_option("reset")
    dialog = tab.get_by_role("dialog")
    expect(dialog).to_contain_text("CP-1")
    dialog.get_by_role("button", name="Send").click()
    # It is not connected: the refusal is told, and nothing is done without the second press.
    expect(dialog.get_by_role("status")).to_contain_text("not connected")


def test_the_overview_says_what_sql_says(server: Served, tab: Page) -> None:
    with connect(server) as session:
        [(chargers, sessions, power)] = session.execute(
            "SELECT (SELECT count(*) FROM charge_points), count(*), round(sum(power_w) / 1000.0, 1)"
            " FROM active_sessions"
        ).fetchall()
    tab.goto(address(server, "overview"))
    expect(tile(tab, "Chargers online")).to_have_text(re.compile(rf"\d+ of {chargers}$"))
    expect(tile(tab, "Charging now")).to_have_text(str(sessions))
    expect(tile(tab, "Power")).to_have_text(f"{power} kW")
    expect(tile(tab, "Grid outages")).to_have_text("1")


def test_the_grid_is_drawn_as_sql_has_it(server: Served, tab: Page) -> None:
    with connect(server) as session:
        [(outage, device, expected)] = session.execute(
            "SELECT outage_id, device_id, expected_out FROM ami.outages"
        ).fetchall()
        members = session.execute(
            "SELECT meter_id FROM ami.outage_members ORDER BY meter_id"
        ).fetchall()
        violations = session.execute(
            "SELECT count(*), min(worst_v) FROM ami.voltage_violations"
        ).fetchall()
        [(placed, low)] = session.execute(
            "SELECT count(DISTINCT m.meter_id),"
            " count(DISTINCT m.meter_id) FILTER (WHERE r.voltage_v < 207)"
            " FROM ami.meter_registry m JOIN ami.interval_reads r ON r.meter_id = m.meter_id"
            " WHERE m.lon IS NOT NULL"
        ).fetchall()
    assert (device, expected, len(members)) == ("TX-2", 6, 6)
    assert violations == [(3, 200)]
    assert (placed, low) == (11, 4)
    tab.goto(address(server, "grid"))
    expect(tile(tab, "Transformers")).to_have_text("2")
    expect(tile(tab, "Outages")).to_have_text("1")
    expect(tile(tab, "Voltage")).to_have_text("3")
    drawn = tab.get_by_role("img", name="Transformers by load")
    meters = f"{placed} meters: {len(members)} out, {low} outside limits, 1 within limits."
    expect(drawn).to_have_attribute("aria-label", re.compile(re.escape(meters)))
    expect(tab.get_by_role("img", name="Median voltage")).to_be_visible()
    expect(tab.get_by_role("region", name="voltage violations")).to_contain_text("200 V")
    outages = tab.get_by_role("region", name="outages")
    expect(outages).to_contain_text("6 of 6")
    outages.get_by_role("button", name=str(device)).first.click()
    told = tab.get_by_role("region", name=f"members of {outage}")
    for (meter,) in members:
        expect(told).to_contain_text(str(meter))
    tab.screenshot(path=PICTURES / "grid-meters.png", full_page=True)
    # M-1 is west of the middle by 0.004 degrees; the map shows 0.01 in 360 pixels of its height.
    box = drawn.bounding_box()
    assert box is not None
    west = 0.004 * math.cos(math.radians(48.705)) * 36_000
    drawn.click(position={"x": box["width"] / 2 - west, "y": box["height"] / 2})
    expect(tab.get_by_role("heading", name="Meter M-1")).to_be_visible()
    expect(tab.get_by_text("within limits, fed by TX-1, active")).to_be_visible()
    tab.screenshot(path=PICTURES / "grid-meter.png", full_page=True)


def test_nothing_is_said_before_it_is_known(server: Served, tab: Page) -> None:
    def hold(route: Route) -> None:
        del route  # It is not answered.

    tab.route("**/v1/sql**", hold)
    tab.goto(address(server, "grid"))
    for name in ("Transformers", "Outages", "Voltage"):
        expect(tile(tab, name)).to_have_text("…")
    expect(tab.get_by_text("No outage is known.")).to_have_count(0)
    tab.unroute("**/v1/sql**")
    tab.reload()
    expect(tile(tab, "Transformers")).to_have_text("2")


def test_an_alert_is_taken(server: Served, tab: Page) -> None:
    asked = "SELECT alert_id, title FROM alerts WHERE rule LIKE '%outage_alerts'"
    with connect(server) as session:
        [(alert, title)] = session.execute(asked).fetchall()
        count = session.execute("SELECT count(*) FROM alerts").fetchall()[0][0]
    tab.goto(address(server, f"alerts?suppressed=1&alert={alert}"))
    open_alerts = tab.get_by_role("region", name="alerts", exact=True)
    expect(open_alerts).to_contain_text(str(title))
    expect(open_alerts.locator("tbody tr")).to_have_count(int(str(count)))
    tab.get_by_label("Comment").fill("a crew is on its way")
    tab.get_by_role("button", name="Acknowledge").click()
    expect(tile(tab, "Taken")).to_have_text("1")
    expect(tab.get_by_role("region", name="alert events")).to_contain_text("a crew is on its way")
    with connect(server) as session:
        taken = session.execute(f"SELECT comment FROM alerts WHERE alert_id = {alert}").fetchall()
    assert taken == [("a crew is on its way",)]


def test_the_storage_is_as_sql_has_it(server: Served, tab: Page) -> None:
    with connect(server) as session:
        session.execute("ALTER TABLE readings SET (timescaledb.compress)")
        session.execute("SELECT compress_chunk(c) FROM show_chunks('readings') AS c LIMIT 1")
        session.execute("SELECT add_retention_policy('readings', INTERVAL '10 years')")
        [(chunks, compressed)] = session.execute(
            "SELECT count(*), count(*) FILTER (WHERE is_compressed)"
            " FROM timescaledb_information.chunks"
        ).fetchall()
        tables = session.execute(
            "SELECT count(*) FROM timescaledb_information.hypertables"
        ).fetchall()[0][0]
    tab.goto(address(server, "storage?table=readings"))
    expect(tile(tab, "Hypertables")).to_have_text(str(tables))
    expect(tab.locator(".tile", has_text="Hypertables")).to_contain_text(f"{chunks} chunks")
    expect(tile(tab, "Compressed")).to_have_text(str(compressed))
    expect(tab.get_by_role("img", name="Chunks")).to_be_visible()
    expect(tab.get_by_role("region", name="hypertables")).to_contain_text("readings")
    expect(tab.get_by_role("region", name="jobs")).to_contain_text("readings")


def test_a_query_is_shared_by_its_address(server: Served, tab: Page) -> None:
    asked = "SELECT at, value FROM readings ORDER BY at"
    tab.goto(address(server, f"sql?q={asked.replace(' ', '+')}&run=1"))
    expect(tab.get_by_role("region", name="answer")).to_contain_text("20")
    expect(tab.locator(".uplot canvas")).to_be_visible()
    tab.get_by_role("textbox", name="SQL").fill("SELECT nothing FROM readings")
    tab.keyboard.press("Control+Enter")
    expect(tab.get_by_role("alert")).to_contain_text("42703")
    tab.get_by_role("textbox", name="SQL").fill("SELECT count(*) FROM readings WHERE value > 3")
    tab.get_by_role("button", name="Explain").click()
    expect(tab.locator(".graph svg g").first).to_be_visible()


def test_the_pipeline_is_drawn(server: Served, tab: Page) -> None:
    tab.goto(address(server, "streams"))
    tab.get_by_role("button", name="view active_sessions").click()
    costs = tab.get_by_role("region", name="operators of active_sessions")
    expect(costs).to_be_visible()
    assert "of=" in tab.url


def test_the_page_comes_back_with_its_server(tmp_path: Path, browser: Browser) -> None:
    first = start(tmp_path / "data")
    context = browser.new_context()
    try:
        tab = context.new_page()
        tab.goto(address(first, "storage"))
        expect(tab.locator(".fresh")).not_to_contain_text("connecting")
        # A statement that takes long does not hold the stop up.
        tab.evaluate("sql => void fetch('/v1/sql?sql=' + encodeURIComponent(sql))", LONG)
        tab.wait_for_timeout(500)
        assert first.stop(signal.SIGTERM) == 0
        end(first)
        expect(tab.locator(".fresh")).to_contain_text("not connected", timeout=WAIT_MS)
        first = start(tmp_path / "data", "--http-port", first.http_port)
        expect(tab.locator(".fresh")).not_to_contain_text("connect", timeout=30_000)
    finally:
        context.close()
        end(first)
