"""Server-sent events: the rows of views, then what changed in them."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack

import pytest
from starlette.applications import Starlette

from tests.driver import Engine
from tests.web.streams import Event, Stream, streamed
from voltstream.core.clock import ManualClock
from voltstream.core.limits import LIVE_CHANGE_ROWS_MAX
from voltstream.core.ports import Sessions
from voltstream.web.app import build_app
from voltstream.web.results import Found
from voltstream.web.sessions import Asking, run
from voltstream.web.ticks import Hub


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    running = Engine(tmp_path_factory.mktemp("live") / "data", ManualClock())
    running.run(
        "CREATE TABLE t (k INT PRIMARY KEY, v INT);"
        "CREATE MATERIALIZED VIEW sums AS SELECT v, count(*) AS n FROM t GROUP BY v;"
        "CREATE VIEW plain AS SELECT * FROM t;"
        "CREATE MATERIALIZED VIEW high WITH (alert.key = 'k') AS SELECT k, v FROM t WHERE v > 90;"
    )
    yield running
    running.close()


@pytest.fixture
def app(engine: Engine) -> Starlette:
    engine.run("DELETE FROM t")
    instance = engine.instance
    return build_app(instance, instance, instance, live=instance)


class Shown:
    """What a client shows of its views: the law is that this is what they are."""

    def __init__(self) -> None:
        self.rows: dict[str, Counter[tuple[object, ...]]] = {}
        self.id = ""

    def take(self, event: Event) -> None:
        name = event.data["view"]
        if event.name == "snapshot":
            self.rows[name] = Counter(tuple(row) for row in event.data["rows"])
        else:
            assert event.name == "change"
            gone = Counter(tuple(row) for row in event.data["delete"])
            assert gone <= self.rows[name]
            self.rows[name] -= gone
            self.rows[name] += Counter(tuple(row) for row in event.data["insert"])
        self.id = event.id

    async def follow(self, stream: Stream, events: int) -> None:
        for _ in range(events):
            self.take(await stream.next())


def now(engine: Engine, view: str) -> Counter[tuple[object, ...]]:
    return Counter(engine.run(f"SELECT * FROM {view}"))


def test_rows_come_first_and_changes_after(engine: Engine, app: Starlette) -> None:
    async def play() -> None:
        engine.run("INSERT INTO t VALUES (1, 10), (2, 10)")
        shown = Shown()
        async with streamed(app, "sums") as stream:
            await shown.follow(stream, 1)
            assert shown.rows["sums"] == now(engine, "sums") == Counter([(10, 2)])
            # Several epochs within a tick are one event, and what came and went is left out.
            engine.run("INSERT INTO t VALUES (3, 20); DELETE FROM t WHERE k = 3")
            engine.run("UPDATE t SET v = 11 WHERE k = 1")
            event = await stream.next()
            assert (event.data["delete"], sorted(event.data["insert"])) == (
                [[10, 2]], [[10, 1], [11, 1]],
            )  # fmt: skip
            shown.take(event)
        # While it was away: it goes on where it ended.
        engine.run("INSERT INTO t VALUES (4, 10)")
        async with streamed(app, "sums", {"last-event-id": shown.id}) as stream:
            event = await stream.next()
            assert event.name == "change"
            shown.take(event)
            assert shown.rows["sums"] == now(engine, "sums")
        # An unknown place, and other views, begin anew.
        for views, said in (("sums", "9999"), ("sums", "x"), ("sums,t", shown.id), ("sums", "1")):
            async with streamed(app, views, {"last-event-id": said}) as stream:
                assert (await stream.next()).name == "snapshot"

    asyncio.run(play())


def test_without_rows_only_that_something_changed(engine: Engine, app: Starlette) -> None:
    async def play() -> None:
        engine.run("INSERT INTO t VALUES (1, 10)")
        async with streamed(app, "sums,t", rows="false") as names, streamed(app, "sums") as rows:
            assert (await rows.next()).name == "snapshot"
            engine.run("INSERT INTO t VALUES (2, 10)")
            change = await rows.next()
            assert change.data["insert"] == [[10, 2]]
            told = [await names.next(), await names.next()]
            assert {event.name for event in told} == {"touched"}
            assert {event.data["view"] for event in told} == {"sums", "t"}
            assert all(set(event.data) == {"view", "epoch"} for event in told)
        # Where nobody reads rows none are kept: who comes back for them gets all.
        async with streamed(app, "sums", rows="false") as names:
            engine.run("INSERT INTO t VALUES (3, 10)")
            await names.next()
            async with streamed(app, "sums", {"last-event-id": change.id}) as rows:
                assert (await rows.next()).data["rows"] == [[10, 3]]

    asyncio.run(play())


def test_what_is_too_much_is_sent_anew(engine: Engine, app: Starlette) -> None:
    async def play() -> None:
        shown = Shown()
        async with streamed(app, "t,alerts") as stream:
            await shown.follow(stream, 2)
            engine.run(
                f"INSERT INTO t SELECT i, 1 FROM generate_series(1, {LIVE_CHANGE_ROWS_MAX + 1}) i"
            )
            event = await stream.next()
            assert (event.name, len(event.data["rows"])) == ("snapshot", LIVE_CHANGE_ROWS_MAX + 1)
            shown.take(event)
            engine.run("UPDATE t SET v = 99 WHERE k = 7")
            await shown.follow(stream, 2)
            assert shown.rows["t"] == now(engine, "t")
            [row] = shown.rows["alerts"]
            assert row[3] == "7"

    asyncio.run(play())


def test_what_changed_too_soon_to_be_sent_again_is_sent_later(
    engine: Engine, app: Starlette
) -> None:
    async def play() -> None:
        shown = Shown()
        async with streamed(app, "t") as stream:
            await shown.follow(stream, 1)
            rows = f"FROM generate_series(1, {LIVE_CHANGE_ROWS_MAX + 1}) AS n(i)"
            engine.run(f"INSERT INTO t SELECT i, 1 {rows}")
            await asyncio.sleep(0.4)
            engine.run("UPDATE t SET v = 2")
            began_s = asyncio.get_running_loop().time()
            while shown.rows["t"] != now(engine, "t"):
                await shown.follow(stream, 1)
            # A silent stream is looked after every 15 s: nobody waits for that.
            assert asyncio.get_running_loop().time() - began_s < 10

    asyncio.run(play())


def test_rows_are_read_once_for_many_clients(
    engine: Engine, app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def counted(sessions: Sessions, database: str, user: str, asking: Asking) -> Found:
        asked.append(asking.text)
        return run(sessions, database, user, asking)

    monkeypatch.setattr("voltstream.web.live.run", counted)

    async def play() -> None:
        engine.run("INSERT INTO t VALUES (1, 10)")
        async with AsyncExitStack() as stack:
            streams = [await stack.enter_async_context(streamed(app, "sums")) for _ in range(9)]
            for stream in streams:
                assert (await stream.next()).data["rows"] == [[10, 1]]

    asyncio.run(play())
    assert len([text for text in asked if "rw_epochs" in text]) == 1


def test_what_many_are_sent_is_spelled_once(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub = Hub(engine.instance)
    first = hub.spelled("3.4", "change", '{"view": "t"}')
    assert first == b'id: 3.4\nevent: change\ndata: {"view": "t"}\n\n'
    assert hub.spelled("3.4", "change", '{"view": "t"}') is first
    assert hub.spelled("3.5", "change", '{"view": "t"}') != first
    # What would be too much to keep is made for each.
    monkeypatch.setattr("voltstream.web.ticks.LIVE_SPELLED_BYTES_MAX", 0)
    one, other = (hub.spelled("9", "change", "{}") for _ in range(2))
    assert one == other
    assert one is not other


def test_two_clients_see_the_same_and_leave_nothing(engine: Engine, app: Starlette) -> None:
    async def play() -> None:
        one, two = Shown(), Shown()
        async with streamed(app, "sums") as first, streamed(app, "sums") as second:
            await one.follow(first, 1)
            await two.follow(second, 1)
            for k in range(5):
                engine.run(f"INSERT INTO t VALUES ({k}, {k % 2})")
                await one.follow(first, 1)
                await two.follow(second, 1)
            assert one.rows == two.rows
            assert one.rows["sums"] == now(engine, "sums")
        app.state.end_streams()
        await asyncio.sleep(0.3)

    asyncio.run(play())
    assert engine.instance.engine("volt").live.begins() == frozenset()


@pytest.mark.parametrize(
    ("views", "status"), [("", 400), ("nope", 404), ("plain", 400), (",".join("a" * 33), 404)]
)
def test_what_cannot_be_watched(app: Starlette, views: str, status: int) -> None:
    async def play() -> None:
        async with streamed(app, views) as stream:
            assert stream.status == status

    asyncio.run(play())
