"""The catalog's definitions on other engines: Flink, RisingWave, TimescaleDB."""
