#!/usr/bin/env bash
# Run a command with this checkout's environment and code, whatever shell or editor called git.
PATH="$PWD/.venv/bin:$PATH" PYTHONPATH="$PWD/src" exec "$@"
