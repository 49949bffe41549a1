"""The command line: `python -m tenure`."""

import signal
import sys

from . import _native


def main() -> None:
    # The program below handles neither in Python, so each does what it does to any program.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    if hasattr(signal, "SIGPIPE"):
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(_native.main(["tenure", *sys.argv[1:]]))


if __name__ == "__main__":
    main()
