"""Runs a command on a tether: it is stopped once standard input ends, which it does when whoever holds it is gone.

A script of its own, without anything of ours: `python tether.py COMMAND…`. However its holder dies, kill -9 included,
the command does not stay behind.
"""

import signal
import subprocess
import sys
import threading
from typing import Final

STOP_SECONDS: Final = 20


def main(command: list[str]) -> int:
    """Run it; its status. What does not stop in time is killed."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    signal.signal(signal.SIGTERM, lambda *_: process.terminate())

    def until_let_go() -> None:
        sys.stdin.buffer.read()
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()

    threading.Thread(target=until_let_go, daemon=True).start()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
