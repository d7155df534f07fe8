"""The live page of a large fleet and grid in Chromium: what it takes until something is seen, and
how long it ever stands still while rows come, tables are scrolled, searched and sorted.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from playwright.sync_api import Browser, Page, sync_playwright

from bench.page_rows import fleet, grid
from bench.server import ENVIRONMENT, ROOT, Server
from bench.suite import Options, Report, Row

CHARGERS = 10_000
METERS = 35_633
HOURS = 6
SAMPLES = 10
PACKS = ("ocpp", "ami", "grid")
PAGES = ("overview", "chargers", "sessions", "grid", "alerts", "streams", "storage", "sql")
PICTURES = Path("bench/out/page-large")
_EVERY_S = 0.25  # A change for the page to follow, four times a second.
# Noted from the first moment on; a task of 50 ms or more counts as long.
_OBSERVE = """
window.longTasks = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) window.longTasks.push(entry.duration);
}).observe({type: "longtask", buffered: true});
"""
_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null"


def bench(options: Options) -> Report:
    chargers = options.rows or CHARGERS
    told = f"{chargers:,} chargers, {METERS:,} meters x {HOURS} reads; {options.seconds} s a page"
    report = Report("page", told, bar="longest task ms")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        report.notes.append("Chromium is not installed: nothing was measured")
        return report
    with (
        tempfile.TemporaryDirectory(prefix="voltstream-bench-") as folder,
        Server(Path(folder) / "data") as server,
        sync_playwright() as driver,
    ):
        began = time.monotonic()
        _fill(server, chargers)
        report.notes.append(f"filled in {time.monotonic() - began:.0f} s")
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        with _changing(server.postgres, chargers):
            for name in PAGES:
                if not options.only or name in options.only:
                    report.rows.append(_page(browser, server, name, options.seconds))
                    print(f"  {report.rows[-1]}", flush=True)
        browser.close()
    return report


def _fill(server: Server, chargers: int) -> None:
    port = server.postgres.rpartition(":")[2].partition("/")[0]
    for pack in PACKS:
        command = [sys.executable, "-m", "voltstream", "pack", "install", pack, "--pg-port", port]
        subprocess.run(command, check=True, capture_output=True, env=ENVIRONMENT, cwd=ROOT)
    with psycopg.connect(server.postgres, autocommit=True) as session:
        for statement in [*fleet(chargers, SAMPLES), *grid(METERS, HOURS)]:
            session.execute(statement.encode())


@contextmanager
def _changing(address: str, chargers: int) -> Iterator[None]:
    """Have twenty chargers tell their power again and again."""
    ended = threading.Event()

    def change() -> None:
        with psycopg.connect(address, autocommit=True) as session:
            turn = 0
            while not ended.wait(_EVERY_S):
                turn += 1
                session.execute(
                    "INSERT INTO charger_readings (charge_point_id, evse_id, connector_id,"
                    " transaction_id, measurand, context, location, value, unit, value_si, unit_si,"
                    " event_ts, received_ts) SELECT 'CP-' || lpad(n::VARCHAR, 5, '0'), 1, 1,"
                    " 'T-' || n, 'Power.Active.Import', 'Sample.Periodic', 'Outlet', %s, 'W', %s,"
                    " 'W', now(), now() FROM generate_series(1, 140, 7) AS g(n)",
                    (5_000 + turn % 50 * 100, 5_000 + turn % 50 * 100),
                )

    thread = threading.Thread(target=change)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


def _page(browser: Browser, server: Server, name: str, seconds: int) -> Row:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(30_000)
    tab = context.new_page()
    tab.add_init_script(_OBSERVE)
    used = server.cpu_s()
    began = time.monotonic()
    tab.goto(f"{server.http}/#/{name}")
    tab.wait_for_selector("nav a[aria-current=page]")
    ready_ms = _settled(tab)
    loading = _longest(tab)
    _use(tab, seconds)
    using = _longest(tab)
    paint = tab.evaluate(_PAINT)
    PICTURES.mkdir(parents=True, exist_ok=True)
    tab.screenshot(path=PICTURES / f"{name}.png", full_page=True)
    heap = tab.evaluate("performance.memory?.usedJSHeapSize ?? 0")
    context.close()
    used = (server.cpu_s() - used) / (time.monotonic() - began)
    return {
        "page": name,
        "first paint ms": None if paint is None else round(paint),
        "filled ms": ready_ms,
        "longest task ms": round(max(loading[0], using[0])),
        "in use ms": round(using[0]),
        "long tasks in use": using[1],
        "heap MB": round(heap / 1e6),
        "server CPU %": round(used * 100),
    }


def _settled(tab: Page) -> int:
    """Wait until nothing is asked that was not answered once. Returns ms since the start."""
    tab.wait_for_function(
        "() => document.querySelector('.fresh') && !document.querySelector('.fresh')"
        ".textContent.includes('connecting')"
    )
    tab.wait_for_timeout(1_500)
    last = tab.evaluate(
        "Math.max(0, ...performance.getEntriesByType('resource').map((one) => one.responseEnd)"
        ".filter((at) => at < 1e9).slice(0, 24))"
    )
    return round(float(last))


def _longest(tab: Page) -> tuple[float, int]:
    found: list[float] = tab.evaluate("window.longTasks.splice(0)")
    return max(found, default=0.0), len(found)


def _use(tab: Page, seconds: int) -> None:
    """Scroll, search and sort what there is, as somebody in a hurry does."""
    acts: list[Callable[[], object]] = []
    boxes = tab.locator("div.scroll[role=region]")
    if boxes.count():
        acts.append(lambda: boxes.last.evaluate("(box) => box.scrollBy(0, 3000)"))
        acts.append(lambda: boxes.last.evaluate("(box) => box.scrollTo(0, 0)"))
    searches = tab.locator("input[type=search]")
    if searches.count():
        acts += [lambda: searches.last.fill("12"), lambda: searches.last.fill("")]
    heads = tab.locator("button.head")
    if heads.count():
        acts += [heads.last.click, heads.nth(0).click]
    acts.append(lambda: tab.mouse.move(400, 400))
    until = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < until:
        acts[turn % len(acts)]()
        turn += 1
        tab.wait_for_timeout(100)
