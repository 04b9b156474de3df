"""Run a command from a small process, so that its peak memory is its own and not that of who started it.

Linux counts as the peak of a process what it was before it became the command: a copy of its parent. CPU is
that of the command and of all it starts, as Spark its Java and its Python workers: the larger of what is told
when processes end, which misses those nobody waits for, and of a look at all of them twenty times a second,
which misses their last moments. Usage: apart.py COMMAND ...; prints wall seconds, CPU seconds and megabytes.
"""

import ctypes
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
SECONDS_A_TICK = 1 / os.sysconf("SC_CLK_TCK")
LOOK_EVERY_SECONDS = 0.05


def running() -> dict[int, tuple[int, float]]:
    """Return the parent and the CPU seconds of each process of the machine."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        found[int(folder.name)] = int(fields[1]), (int(fields[11]) + int(fields[12])) * SECONDS_A_TICK
    return found


def look(seen: dict[int, float]) -> None:
    """Keep the CPU seconds of every process below this one."""
    processes = running()
    below = {os.getpid()}
    while grown := {pid for pid, (parent, _) in processes.items() if parent in below} - below:
        below |= grown
    seen.update({pid: processes[pid][1] for pid in below - {os.getpid()} if pid in processes})


def main() -> int:
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    seen: dict[int, float] = {}
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(LOOK_EVERY_SECONDS):
            look(seen)

    watcher = threading.Thread(target=watch)
    watcher.start()
    start = time.perf_counter()
    process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_seconds, cpu_seconds = time.perf_counter() - start, usage.ru_utime + usage.ru_stime
    process.returncode = os.waitstatus_to_exitcode(status)
    while True:
        try:
            _, _, left = os.wait4(-1, 0)
        except ChildProcessError:
            break
        cpu_seconds += left.ru_utime + left.ru_stime
    ended.set()
    watcher.join()
    print(wall_seconds, max(cpu_seconds, sum(seen.values())), usage.ru_maxrss / 1024)
    return process.returncode


if __name__ == "__main__":
    sys.exit(main())
