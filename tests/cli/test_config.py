"""Settings: flags win over the environment, which wins over the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from voltstream.cli.chargers import gateway_options
from voltstream.cli.config import load_settings
from voltstream.core.errors import InvalidParameter


def test_later_places_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "volt.toml"
    file.write_text(
        'host = "::1"\npg_port = 1\nhttp_port = 1\n[epoch]\nrows_max = 5\n'
        '[ocpp.data_transfer]\n"com.one" = ["status"]\n"com.all" = []\n'
    )
    monkeypatch.setenv("VOLTSTREAM_PG_PORT", "2")
    monkeypatch.setenv("VOLTSTREAM_HTTP_PORT", "2")
    monkeypatch.setenv("VOLTSTREAM_KAFKA__BOOTSTRAP_OVERRIDE", "broker:9092")
    settings = load_settings(file, {"http_port": 3, "data": None}, ["epoch.interval_ms=7"])
    assert (settings.host, settings.pg_port, settings.http_port) == ("::1", 2, 3)
    assert (settings.epoch.rows_max, settings.epoch.interval_ms) == (5, 7)
    assert settings.kafka.bootstrap_override == "broker:9092"
    assert settings.ocpp_port == 9000
    assert gateway_options(settings).data_transfer == {"com.one": ("status",), "com.all": ()}


@pytest.mark.parametrize(
    "assignment", ["epoch.row_max=1", "epoch.rows_max=many", "epoch=1", "epoch", "pg_port=70000"]
)
def test_a_wrong_setting_is_refused(assignment: str) -> None:
    with pytest.raises(InvalidParameter):
        load_settings(None, {}, [assignment])


def test_an_unknown_setting_names_the_nearest() -> None:
    with pytest.raises(InvalidParameter) as refused:
        load_settings(None, {}, ["kafka.bootstrap_overide=x"])
    assert refused.value.hint == 'Perhaps you meant "kafka.bootstrap_override".'
