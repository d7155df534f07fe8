"""Answers that are kept are those that would be read again."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.driver import Engine
from voltstream.core.clock import SystemClock
from voltstream.core.errors import VoltstreamError
from voltstream.core.ports import FewRows, Session
from voltstream.runtime.answers import Answers, Reading

READ = "SELECT name, kw FROM meters WHERE id = {}"
VIEW = "SELECT total FROM totals WHERE name = '{}'"


@pytest.fixture
def volt(tmp_path: Path) -> Iterator[Engine]:
    driver = Engine(tmp_path, SystemClock())
    driver.run("CREATE TABLE meters (id int PRIMARY KEY, name varchar, kw int)")
    driver.run("INSERT INTO meters VALUES (1, 'a', 10), (2, 'b', NULL), (3, 'a', 30)")
    driver.run(
        "CREATE MATERIALIZED VIEW totals AS SELECT name, count(*) AS total FROM meters GROUP BY 1"
    )
    yield driver
    driver.close()


def _kept(session: Session, text: str) -> list[tuple[object, ...]] | None:
    """Return the answer that is at hand."""
    statements = session.at_hand.parse(text)
    outcome = session.at_hand.execute(statements[0]) if statements else None
    if outcome is None:
        return None
    assert isinstance(outcome.rows, FewRows)
    return list(outcome.rows.values)


def _warm(driver: Engine, *texts: str) -> None:
    for text in texts:
        for _ in range(4):
            driver.run(text)


def test_an_answer_is_kept_until_its_row_changes(volt: Engine) -> None:
    one, two = READ.format(1), READ.format(2)
    _warm(volt, one, two, VIEW.format("a"), VIEW.format("b"))
    assert _kept(volt.session, one) == [("a", 10)]
    assert _kept(volt.session, VIEW.format("a")) == [(2,)]
    volt.run("UPDATE meters SET kw = 11, name = 'b' WHERE id = 1")
    assert _kept(volt.session, one) is None
    assert _kept(volt.session, two) == [("b", None)]
    assert _kept(volt.session, VIEW.format("a")) is None
    assert volt.run(one) == [("b", 11)]
    assert volt.run(VIEW.format("b")) == [(2,)]
    assert _kept(volt.session, VIEW.format("b")) == [(2,)]


CHANGES = (
    "DELETE FROM meters WHERE id = 1",
    "TRUNCATE meters",
    "INSERT INTO meters VALUES (1, 'z', 0)",
    "INSERT INTO meters VALUES (1, 'z', 0) ON CONFLICT (id) DO UPDATE SET kw = 99",
    "MERGE INTO meters m USING (SELECT 1 AS id) s ON m.id = s.id WHEN MATCHED THEN DELETE",
    "BEGIN; UPDATE meters SET kw = 7 WHERE id = 1; COMMIT",
    "ALTER TABLE meters ADD COLUMN note varchar",
    "DROP MATERIALIZED VIEW totals",
)


def test_every_change_is_seen(volt: Engine) -> None:
    for change in CHANGES:
        volt.run("DELETE FROM meters")
        volt.run("INSERT INTO meters (id, name, kw) VALUES (1, 'a', 10), (3, 'a', 30)")
        _warm(volt, READ.format(1))
        assert _kept(volt.session, READ.format(1)) == [("a", 10)], change
        for statement in change.split("; "):
            volt.run(statement)
        assert _kept(volt.session, READ.format(1)) is None, change
        after = volt.run("SELECT name, kw FROM meters WHERE id + 0 = 1")
        assert [volt.run(READ.format(1)) for _ in range(4)] == [after] * 4, change


def test_a_row_that_comes_ends_the_answer_that_it_is_not_there(volt: Engine) -> None:
    _warm(volt, READ.format(9))
    assert _kept(volt.session, READ.format(9)) == []
    volt.run("INSERT INTO meters VALUES (9, 'n', 1)")
    assert volt.run(READ.format(9)) == [("n", 1)]


def test_a_rollback_leaves_what_was(volt: Engine) -> None:
    _warm(volt, READ.format(1))
    volt.run("BEGIN")
    volt.run("UPDATE meters SET kw = 0 WHERE id = 1")
    assert volt.run(READ.format(1)) == [("a", 0)]
    assert _kept(volt.session, READ.format(1)) is None  # A block reads what it has written.
    other = volt.instance.open(database="volt", user="volt", options={})
    assert _kept(other, READ.format(1)) in (None, [("a", 10)])
    volt.run("ROLLBACK")
    _warm(volt, READ.format(1))
    assert _kept(volt.session, READ.format(1)) == [("a", 10)]
    other.close()


def test_rights_that_are_lost_end_it(volt: Engine) -> None:
    volt.run("CREATE ROLE reader LOGIN")
    volt.run("GRANT SELECT ON meters TO reader")
    reader = volt.instance.open(database="volt", user="reader", options={})
    for _ in range(4):
        reader.execute(reader.parse(READ.format(1))[0])
    assert _kept(reader, READ.format(1)) == [("a", 10)]
    volt.run("REVOKE SELECT ON meters FROM reader")
    assert _kept(reader, READ.format(1)) is None
    with pytest.raises(VoltstreamError, match="permission denied"):
        reader.execute(reader.parse(READ.format(1))[0])
    reader.close()


MANY_ROWS = (
    "SELECT random() FROM meters WHERE id = 1",
    "SELECT name FROM meters WHERE id = 1 OR kw = 30",
    "SELECT m.name FROM meters m JOIN totals t ON t.name = m.name WHERE m.id = 1",
    "SELECT name, (SELECT count(*) FROM meters) FROM meters WHERE id = 1",
    "SELECT now() FROM meters WHERE id = 1",
    "SELECT name FROM meters WHERE id <> 1",
)


def test_what_more_rows_decide_is_not_kept(volt: Engine) -> None:
    for text in MANY_ROWS:
        _warm(volt, text)
        assert _kept(volt.session, text) is None, text


def test_random_changes(volt: Engine) -> None:
    """Law: with answers kept, every read is what a read by another form of the query finds."""
    chance = random.Random(8)
    changes = (
        "INSERT INTO meters VALUES ({id}, '{name}', {kw})",
        "UPDATE meters SET kw = {kw} WHERE id = {id}",
        "UPDATE meters SET name = '{name}' WHERE kw > {kw}",
        "DELETE FROM meters WHERE id = {id}",
    )
    seen = 0
    for step in range(45):
        for identity in (1, 2, 3):
            seen += _kept(volt.session, READ.format(identity)) is not None
            read = volt.run(READ.format(identity))
            assert read == volt.run(f"SELECT name, kw FROM meters WHERE id + 0 = {identity}")
        for name in "ab":
            assert volt.run(VIEW.format(name)) == volt.run(
                f"SELECT count(*) FROM meters WHERE name || '' = '{name}' HAVING count(*) > 0"
            )
        if step % 3 == 0:
            volt.run(
                chance.choice(changes).format(
                    id=chance.randint(1, 3), name=chance.choice("ab"), kw=chance.randint(0, 40)
                )
            )
    assert seen > 20


def test_a_query_that_began_before_a_change_is_not_kept() -> None:
    answers = Answers()
    reading = Reading(1, "d_1", '"id"', 0)
    assert answers.ticket(reading) is not None
    early = answers.ticket(reading)
    assert early is not None
    [watched] = answers.epoch_begins()
    answers.changed(watched, [7])
    assert answers.ticket(reading) is None  # Until it is committed, what is read is of before.
    answers.epoch_ended()
    answers.keep(early, 0, "plan", (7,), [("old",)])
    assert answers.find(reading, "plan", (7,)) is None
    late = answers.ticket(reading)
    assert late is not None
    answers.keep(late, 0, "plan", (7,), [("new",)])
    assert answers.find(reading, "plan", (7,)) == [("new",)]


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voltstream.runtime.answers.ANSWERS_MAX", 10)
    answers = Answers()
    reading = Reading(1, "d_1", '"id"', 0)
    answers.ticket(reading)
    for key in range(100):
        ticket = answers.ticket(reading)
        assert ticket is not None
        answers.keep(ticket, 0, "plan", (key,), [(key,)])
        answers.keep(ticket, 0, "large", (key,), [("x" * 5_000,)])
    kept = [key for key in range(100) if answers.find(reading, "plan", (key,)) is not None]
    assert kept == list(range(90, 100))
    assert all(answers.find(reading, "large", (key,)) is None for key in range(100))
