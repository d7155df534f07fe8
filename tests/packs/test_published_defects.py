"""Every numbered defect of the published queries is shown beside what the packs answer."""

from __future__ import annotations

import re
import tomllib

import pytest

from voltstream.cli.packs import load_pack

NAMED = re.compile(r"\b(ocpp|ami) (\d+), (published and ours|published|ours)")


def shown(pack: str, test: str) -> dict[tuple[str, int], set[str]]:
    """Return for each list and number which of the two sides a step shows with its rows."""
    [text] = [text for name, text in load_pack(pack).tests if name == test]
    found: dict[tuple[str, int], set[str]] = {}
    for step in tomllib.loads(text)["step"]:
        for of, number, sides in NAMED.findall(step.get("title", "")):
            assert {"query", "expect"} <= step.keys(), step["title"]
            found.setdefault((of, int(number)), set()).update(sides.split(" and "))
    return found


OCPP = [("ocpp", number) for number in range(1, 18)]
AMI = [("ami", number) for number in range(1, 23)] + [("ocpp", number) for number in range(18, 23)]


@pytest.mark.parametrize(
    ("pack", "test", "numbers"),
    [("ocpp", "tests/defects.toml", OCPP), ("ami", "tests/published.toml", AMI)],
)
def test_each_number_is_shown_published_and_ours(
    pack: str, test: str, numbers: list[tuple[str, int]]
) -> None:
    assert shown(pack, test) == {number: {"published", "ours"} for number in numbers}
