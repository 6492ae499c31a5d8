"""One seed in ``params.yaml``; every source of randomness gets its own number from it."""

import hashlib


def derive(seed: int, *purpose: str | int) -> int:
    """A 63-bit seed for one purpose, such as ``derive(42, "batch order", epoch)``.

    Hashing keeps the purposes independent: a new one shifts no other's numbers, which drawing them in turn from one
    generator would do.
    """
    digest = hashlib.sha256(repr((seed, *purpose)).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1
