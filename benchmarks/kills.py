"""Kill a scoring job at random moments, run it again, and look whether the output is that of one left alone.

    python benchmarks/kills.py --kills 50 --rows 1000000

The signal is SIGKILL, at a moment drawn evenly over the time that the job takes when it is left alone; the
rerun may be killed too, with even chances, and so on.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import select
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

AS_OF = "2030-01-01T00:00:00+00:00"


class Killed(NamedTuple):
    """What became of jobs that were killed.

    Parameters
    ----------
    n_kills : int
        Signals that met a running job.
    n_jobs : int
        Jobs that were killed at least once and then ran to their end.
    n_correct : int
        Those whose output has the bytes of a job left alone.
    """

    n_kills: int
    n_jobs: int
    n_correct: int

    def __str__(self) -> str:
        return f"{self.n_correct} of {self.n_jobs} outputs correct after {self.n_kills} kills"


@dataclass(frozen=True)
class Job:
    """A command that writes a file.

    Parameters
    ----------
    command : tuple of str
    out : Path
    """

    command: tuple[str, ...]
    out: Path

    def digest(self) -> str:
        """Return the sha256 of the output."""
        with self.out.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def run(self, seconds: float | None = None) -> bool:
        """Run to the end, or kill it after some seconds; say whether it came to its end."""
        with subprocess.Popen(self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            if seconds is not None and not _ends_within(process, seconds):
                process.kill()
        if process.returncode > 0:
            msg = f"{' '.join(self.command)} ended with exit code {process.returncode}"
            raise RuntimeError(msg)
        return process.returncode == 0


def _ends_within(process: subprocess.Popen[bytes], seconds: float) -> bool:
    """Wait for the end of a process, or until it is time."""
    handle = os.pidfd_open(process.pid)
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def kill_and_rerun(job: Job, n_jobs: int, seed: int = 0) -> Killed:
    """Kill a job again and again.

    Parameters
    ----------
    job : Job
    n_jobs : int
    seed : int, default=0

    Returns
    -------
    Killed
    """
    rng, start = np.random.default_rng(seed), time.perf_counter()
    job.run()
    seconds, expected = time.perf_counter() - start, job.digest()
    n_kills = n_killed_jobs = n_correct = 0
    while n_killed_jobs < n_jobs:
        job.out.unlink()
        n_here = 0
        while not job.run(None if n_here and rng.random() < 0.5 else rng.uniform(0, seconds)):
            n_here += 1
        if n_here:
            n_kills, n_killed_jobs = n_kills + n_here, n_killed_jobs + 1
            n_correct += job.digest() == expected
    return Killed(n_kills, n_killed_jobs, n_correct)


def measure(folder: Path, n_rows: int, n_kills: int) -> Killed:
    """Kill ``leadlift predict``.

    Parameters
    ----------
    folder : Path
        With ``new_<n_rows>.parquet`` and the bundle ``whole``, from :mod:`predict_data`.
    n_rows, n_kills : int

    Returns
    -------
    Killed
    """
    out = folder / "killed.parquet"
    leadlift = str(Path(sys.executable).with_name("leadlift"))
    command = (leadlift, "predict", str(folder / f"new_{n_rows}.parquet"), "--out", str(out))
    return kill_and_rerun(Job((*command, "--bundle", str(folder / "whole"), "--as-of", AS_OF), out), n_kills)


def main() -> None:
    """Print what became of them."""
    import predict_data

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--rows", type=int, default=1_000_000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        predict_data.make_models(folder)
        predict_data.write_leads(folder, arguments.rows, csv=False)
        print(measure(folder, arguments.rows, arguments.kills))


if __name__ == "__main__":
    main()
