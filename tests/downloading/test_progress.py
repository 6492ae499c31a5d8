import os
import termios

from pipeline.downloading import progress


def test_a_log_gets_whole_lines(capsys, monkeypatch) -> None:
    with progress.shown("file.gz", 1_000_000, 3_000_000) as update:
        update(500_000)  # too soon after the last line
        monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
        update(500_000)
        update(1_000_000)
    assert capsys.readouterr().err == "file.gz: 2.0 of 3.0 MB\nfile.gz: 3.0 of 3.0 MB\n"


def test_an_unknown_size(capsys, monkeypatch) -> None:
    monkeypatch.setattr(progress, "SECONDS_BETWEEN_LINES", 0)
    with progress.shown("file.gz", 0, None) as update:
        update(1_500_000)
    assert capsys.readouterr().err == "file.gz: 1.5 MB\n"


def test_a_terminal_gets_a_bar(monkeypatch) -> None:
    reader, writer = os.openpty()
    termios.tcsetwinsize(writer, (24, 80))
    with os.fdopen(writer, "w") as terminal:
        monkeypatch.setattr("sys.stderr", terminal)
        monkeypatch.setenv("TERM", "xterm")
        with progress.shown("file.gz", 0, 2000) as update:
            update(2000)
        shown = b""
        while b"file.gz: 100%" not in shown:  # the terminal passes on as much as it likes
            shown += os.read(reader, 4096)
    os.close(reader)
