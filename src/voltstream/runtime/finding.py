"""Chunks by their names."""

from __future__ import annotations

import re

from voltstream.core.errors import UndefinedTable, WrongObjectType
from voltstream.runtime.call_arguments import object_name
from voltstream.runtime.epoch import Epoch
from voltstream.store import hypertable
from voltstream.store.hypertable import Chunk, Hypertable

_CHUNK_NAME = re.compile(r"(?:_timescaledb_internal\.)?_hyper_(\d+)_(\d+)_chunk")


def find_chunk(epoch: Epoch, text: str) -> tuple[Hypertable, Chunk]:
    """Raises: UndefinedTable for a chunk that does not exist."""
    named = _CHUNK_NAME.fullmatch(text.strip().replace('"', ""))
    if named is not None:
        for table in hypertable.all_of(epoch.connection):
            for chunk in hypertable.chunks(epoch.connection, table.oid):
                if (table.id, chunk.id) == (int(named[1]), int(named[2])):
                    return table, chunk
    name = object_name(text)
    if epoch.catalog.named(name) is not None:
        raise WrongObjectType(f'"{name.name}" is not a chunk')
    raise UndefinedTable(f'relation "{text}" does not exist')
