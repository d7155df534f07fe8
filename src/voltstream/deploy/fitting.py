"""Whether what a deployment is told is for its target: asked before anything else happens."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from voltstream.core.errors import InvalidParameter
from voltstream.deploy.drafting import Options
from voltstream.deploy.flink import job_settings
from voltstream.deploy.flink_deployed import Beginning
from voltstream.deploy.flink_jdbc import checked_url
from voltstream.deploy.script import Target

_WHY: Mapping[str, tuple[frozenset[Target], str]] = {
    "--jdbc": (frozenset({Target.FLINK}), "Only Flink writes its views elsewhere too."),
    "--state-ttl": (frozenset({Target.FLINK}), "Only Flink's job lets go of state by its age."),
    "--checkpoints": (frozenset({Target.FLINK}), "The target keeps its own state where it does."),
    "--afresh": (frozenset({Target.FLINK}), "Views there are made anew where they changed."),
    "--restore": (frozenset({Target.FLINK}), "Only Flink's job begins from a checkpoint."),
    "--no-events": (frozenset({Target.FLINK}), "Only Flink has a serving node behind it."),
    "--topics": (frozenset({Target.FLINK}), "Views are read there; no topics are made."),
    "--null-keys": (frozenset({Target.FLINK}), "Rows there are not found by keys of topics."),
    "--plain": (frozenset({Target.TIMESCALEDB}), "It is for PostgreSQL without the extension."),
    "--kafka": (
        frozenset({Target.FLINK, Target.RISINGWAVE}), "PostgreSQL reads and writes no topics.",
    ),
}  # fmt: skip


def fitting(target: Target, options: Options, beginning: Beginning, *, events: bool = True) -> None:
    """Raises: InvalidParameter (22023) for an option that a target cannot take, or a wrong one."""
    told = {
        "--jdbc": options.jdbc is not None,
        "--state-ttl": options.state_ttl is not None,
        "--checkpoints": options.checkpoints is not None,
        "--afresh": beginning.afresh,
        "--restore": beginning.restore is not None,
        "--no-events": not events,
        "--topics": options.topics != Options().topics,
        "--null-keys": options.null_keys,
        "--plain": options.plain,
        "--kafka": options.kafka is not None,
    }
    for name in (name for name, is_told in told.items() if is_told):
        targets, why = _WHY[name]
        if target not in targets:
            raise InvalidParameter(f"{name} is not for {target.value}", hint=why)
    if beginning.afresh and beginning.restore is not None:
        raise InvalidParameter("--afresh and --restore exclude each other")
    job_settings(options)  # Refuses a time to live that is none.
    if options.jdbc is not None:
        checked_url(options.jdbc)
    for name, place in (("--checkpoints", options.checkpoints), ("--restore", beginning.restore)):
        if place is not None and not urlsplit(place).scheme:
            raise InvalidParameter(
                f'{name}: "{place}" is no URL',
                hint="file:///path of all machines, or s3://bucket/path.",
            )
