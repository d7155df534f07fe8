"""Descriptors of protocol buffers: as they are, or compiled from a .proto text."""

from __future__ import annotations

import base64
import binascii
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from google.protobuf import descriptor_pb2
from google.protobuf.message import DecodeError

from voltstream.core.errors import FeatureNotSupported, InvalidParameter

_NAME = "schema.proto"
_REASON_CHARACTERS = 300
WAIT_S = 20.0  # Half a second is usual.


def descriptors_of(raw: bytes, imports: Sequence[tuple[str, str]], owner: str) -> bytes:
    """Return a serialized FileDescriptorSet, the schema's own file last.

    ``raw`` is one already, or a .proto text, or a FileDescriptorProto in base64, as some clients
    register it. Raises: InvalidParameter (22023), FeatureNotSupported (0A000).
    """
    text = _text(raw)
    if text is None:
        return _checked_set(raw, owner)
    single = _single(text)
    if single is not None:
        others = _compiled([(name, body) for name, body in imports], owner) if imports else []
        files = [file for file in others if file.name != single.name]
        whole = descriptor_pb2.FileDescriptorSet(file=[*files, single])
        return bytes(whole.SerializeToString())
    files = _compiled([*imports, (_NAME, text)], owner)
    return bytes(descriptor_pb2.FileDescriptorSet(file=files).SerializeToString())


def _text(raw: bytes) -> str | None:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        return None
    # A descriptor set begins with its first field's tag, a line feed, and holds control bytes.
    return None if any(c < " " and c not in "\t\r\n\f" for c in text) else text


def _single(text: str) -> descriptor_pb2.FileDescriptorProto | None:
    try:
        found = descriptor_pb2.FileDescriptorProto.FromString(
            base64.b64decode(text.strip(), validate=True)
        )
    except (binascii.Error, DecodeError, ValueError):
        return None
    return found if found.name else None


def _checked_set(raw: bytes, owner: str) -> bytes:
    try:
        found = descriptor_pb2.FileDescriptorSet.FromString(raw)
    except DecodeError:
        found = descriptor_pb2.FileDescriptorSet()
    if not found.file:
        hint = "Write it by: protoc --include_imports --descriptor_set_out=FILE …"
        raise InvalidParameter(f"{owner}: the schema is no protobuf descriptor set", hint=hint)
    return raw


def _compiled(
    files: Sequence[tuple[str, str]], owner: str
) -> list[descriptor_pb2.FileDescriptorProto]:
    """Compile .proto texts, the last one's file last: by protoc, in a process of its own."""
    if find_spec("grpc_tools") is None:
        raise FeatureNotSupported(
            f"{owner}: its schema is a .proto text, and there is no compiler for it",
            hint="Install the extra (pip install 'voltstream[protobuf]'), or give a descriptor "
            "set: protoc --include_imports --descriptor_set_out=FILE …",
        )
    with tempfile.TemporaryDirectory(prefix="voltstream-proto-") as folder:
        root = Path(folder).resolve()
        for name, body in files:
            path = (root / name).resolve()
            if not path.is_relative_to(root):  # A reference's name comes from the registry.
                raise InvalidParameter(f'{owner}: the schema imports "{name}"')
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(body)
        last, out = files[-1][0], root / "descriptors"
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", "--include_imports"]
        command += [f"--descriptor_set_out={out}", last]
        try:
            done = subprocess.run(
                command, cwd=root, capture_output=True, text=True, timeout=WAIT_S, check=False
            )
        except (OSError, subprocess.SubprocessError) as error:
            raise InvalidParameter(f"{owner}: the schema cannot be compiled: {error}") from error
        if done.returncode:
            reason = done.stderr.strip().replace(str(root), "")[:_REASON_CHARACTERS]
            raise InvalidParameter(f"{owner}: the schema cannot be compiled: {reason}")
        found = descriptor_pb2.FileDescriptorSet.FromString(out.read_bytes())
    return sorted(found.file, key=lambda file: file.name == last)
