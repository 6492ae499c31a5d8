import os
import signal
import subprocess
import sys

import pytest

from pipeline.training.stopping import Stop


def test_ctrl_c_waits_until_it_is_obeyed():
    with pytest.raises(KeyboardInterrupt), Stop() as stop:
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested == signal.SIGINT
        stop.obey()


def test_what_was_not_obeyed_takes_effect_at_the_end():
    reached = False
    with pytest.raises(KeyboardInterrupt), Stop():
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
    assert reached


def test_a_second_ctrl_c_takes_effect_at_once():
    reached = False
    with pytest.raises(KeyboardInterrupt), Stop():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        reached = True
    assert not reached


def test_without_a_signal_nothing_happens_and_the_handlers_are_those_from_before():
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with Stop() as stop:
        stop.obey()
        assert signal.getsignal(signal.SIGINT) != before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_what_is_ignored_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with Stop() as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.requested is None
    finally:
        signal.signal(signal.SIGINT, before)


def test_sigterm_ends_the_process_by_that_signal():
    program = (
        "import os, signal\nfrom pipeline.training.stopping import Stop\n"
        "with Stop() as stop:\n    os.kill(os.getpid(), signal.SIGTERM)\n    print('reached', flush=True)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGTERM, "reached\n")
