"""Run a command from a small process, so that its peak memory is its own and not that of who started it.

Linux counts as the peak of a process what it was before it became the command: a copy of its parent. The CPU
of what the command leaves behind, as Spark its Java, is counted to its end. Usage: apart.py COMMAND ...;
prints wall seconds, CPU seconds and megabytes.
"""

import ctypes
import os
import subprocess
import sys
import time

PR_SET_CHILD_SUBREAPER = 36

ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
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
print(wall_seconds, cpu_seconds, usage.ru_maxrss / 1024)
sys.exit(process.returncode)
