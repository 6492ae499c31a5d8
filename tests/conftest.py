"""What holds for all tests."""

import signal

# Whoever starts pytest in a script's background makes it, and every process that a test starts, ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
