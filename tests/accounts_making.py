"""Hashes of the passwords that tests sign in with."""

import secrets

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id


def hash_cheaply(password: str) -> str:
    """A hash as ``hash_password`` makes it, at a thousandth of the cost: its check costs what the hash says."""
    argon2id = Argon2id(salt=secrets.token_bytes(16), length=32, iterations=1, lanes=1, memory_cost=64)
    return argon2id.derive_phc_encoded(password.encode())
