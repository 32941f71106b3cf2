"""Becomes another program that the system kills as soon as the one that started it is gone.

Run as a script: `python -I -S lifeline.py PARENT_PID PROGRAM ARGUMENT...`. Programs such as
Prometheus can't be taught to watch a pipe, a watching process of our own could be killed as well,
and code between fork and exec can't be trusted where threads run. So the request to the kernel is
made here, after one exec and before the next: it outlives exec, and the process keeps its id.
Only Linux has this; elsewhere a demo that is killed hard leaves its programs running.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def command(program: list[str]) -> list[str]:
    """The arguments that start *program* tied to this process."""
    # -I and -S: neither the user's variables nor installed packages are of interest here.
    return [sys.executable, "-I", "-S", __file__, str(os.getpid()), *program]


def _become(parent_pid: int, program: list[str]) -> None:
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0):
            reason = os.strerror(ctypes.get_errno())
            sys.stderr.write(f"{program[0]} may outlive the demo: {reason}\n")
        if os.getppid() != parent_pid:
            sys.exit("the demo ended before this program began")
    try:
        os.execvp(program[0], program)  # noqa: S606 - no shell is wanted
    except OSError as error:
        sys.exit(f"{program[0]} can't be run: {error.strerror}")


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
