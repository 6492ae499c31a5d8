"""Errors of a store."""


class UnusableError(Exception):
    """A store that no later attempt will be able to use; the message has the remedy."""
