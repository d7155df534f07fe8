"""Secrets at rest: sealed with a key that is not in the database."""

from __future__ import annotations

import base64
import os
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from voltstream.core.errors import InvalidParameter, StorageFault

KEY_CHARACTERS_MIN = 16
_PREFIX = "sealed:"
_INFO = b"voltstream secrets v1"


class Vault:
    """Seals texts with the key that is given, or with one of its own beside the databases.

    The file's own key keeps a copy of a database from telling; who can read the whole directory
    reads the secrets too.
    """

    def __init__(self, folder: Path, key: str | None = None) -> None:
        self._file = folder / "secret.key"
        self._given = key
        if key is not None and len(key) < KEY_CHARACTERS_MIN:
            raise InvalidParameter(
                f"the key of the secrets is shorter than {KEY_CHARACTERS_MIN} characters"
            )
        self._opened: Fernet | None = None

    def seal(self, text: str) -> str:
        return _PREFIX + self._fernet().encrypt(text.encode()).decode()

    def unseal(self, sealed: str, name: str) -> str:
        """Return a secret's text. Raises: InvalidParameter (22023) under another key."""
        try:
            return self._fernet().decrypt(sealed.removeprefix(_PREFIX)).decode()
        except InvalidToken as error:
            raise InvalidParameter(
                f'secret "{name}" was sealed with another key',
                hint="Start the server with that key, or drop the secret and make it anew.",
            ) from error

    def _fernet(self) -> Fernet:
        if self._opened is None:
            material = self._given.encode() if self._given is not None else self._own_key()
            derived = HKDF(SHA256(), 32, salt=None, info=_INFO).derive(material)
            self._opened = Fernet(base64.urlsafe_b64encode(derived))
        return self._opened

    def _own_key(self) -> bytes:
        """Read the key of this directory; make it when it is first wanted."""
        try:
            if not self._file.exists():
                made = self._file.with_suffix(".new")
                descriptor = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
                try:
                    os.write(descriptor, Fernet.generate_key())
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
                made.rename(self._file)
            return self._file.read_bytes()
        except OSError as error:
            raise StorageFault(f'cannot use "{self._file}": {error.strerror}') from error
