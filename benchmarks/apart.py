"""Run a command from a small process, so that its peak memory is its own and not that of who started it.

Linux counts as the peak of a process what it was before it became the command: a copy of its parent. Usage:
apart.py COMMAND ...; prints wall seconds, CPU seconds and megabytes.
"""

import os
import subprocess
import sys
import time

start = time.perf_counter()
process = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
_, status, usage = os.wait4(process.pid, 0)
process.returncode = os.waitstatus_to_exitcode(status)
print(time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)
sys.exit(process.returncode)
