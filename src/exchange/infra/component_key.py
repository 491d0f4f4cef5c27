"""The key with which reporter and clearing speak to the engine."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from exchange.infra.errors import InfraError, SourceUnavailable

KEY_VARIABLE = "EXCHANGE_COMPONENT_KEY"


KEY_CHARACTERS_MIN = 32


class _Keys(msgspec.Struct):
    component: str


def given_component_key(env: Mapping[str, str] | None = None) -> str:
    """Return the key that the environment gives, empty where there is none. Raise `InfraError` for a short one."""
    key = (os.environ if env is None else env).get(KEY_VARIABLE, "").strip()
    if key and len(key) < KEY_CHARACTERS_MIN:
        raise InfraError(
            f"{KEY_VARIABLE} has {len(key)} characters and must have at least {KEY_CHARACTERS_MIN}; "
            "make one with: openssl rand -hex 32"
        )
    return key


def read_component_key(key_file: Path, env: Mapping[str, str] | None = None) -> str:
    """Return the key of role component: from the environment, else from the file the engine writes at its first start.

    Raise `SourceUnavailable` where the file is not there yet, `InfraError` where it cannot be read.
    """
    if key := given_component_key(env):
        return key
    try:
        return msgspec.json.decode(key_file.read_bytes(), type=_Keys).component
    except FileNotFoundError as error:
        raise SourceUnavailable(
            f"{key_file} is not there yet: the engine writes it at its first start; where the engine has another "
            f"data folder, set {KEY_VARIABLE} or key_file"
        ) from error
    except OSError as error:
        raise InfraError(
            f"{key_file} cannot be read: {error.strerror}; it belongs to the engine's user"
        ) from error
    except msgspec.DecodeError as error:
        raise InfraError(f"{key_file} is not a file of keys: {error}; set {KEY_VARIABLE} instead") from error
