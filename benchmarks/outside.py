"""Contenders that live in environments of their own: export a split, run them, keep what they predicted.

Predictions are cached by split, contender, versions and budget, so that a run of ours does not repeat theirs.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from contenders.run import LABEL, RECIPE_VERSION
from quality_sets import LeadSet, Split, fingerprint

HERE = Path(__file__).parent
CACHE = HERE / ".cache"
RUNNER = HERE / "contenders" / "run.py"


@dataclass(frozen=True)
class OutsideContender:
    """A contender with its own environment.

    Parameters
    ----------
    title : str
        Name in the tables.
    name : str
        Name in `contenders/run.py`, of `contenders/<name>.txt` and of the environment `.venv-<name>`.
    cpu_budget_s : int
        CPU seconds that one search may take.
    """

    title: str
    name: str
    cpu_budget_s: int

    @property
    def python(self) -> Path:
        """Interpreter of the environment, whether it exists or not."""
        return HERE.parent / f".venv-{self.name}" / "bin" / "python"

    @property
    def pins(self) -> list[str]:
        """What the environment is made of, as ``name==version``; part of the cache's key."""
        lines = (HERE / "contenders" / f"{self.name}.txt").read_text(encoding="utf-8").splitlines()
        return sorted(line.split()[0] for line in lines if "==" in line)


OUTSIDE = (OutsideContender("FLAML", "flaml", 60), OutsideContender("AutoGluon", "autogluon", 180))


@dataclass(frozen=True)
class Answer:
    """What a contender predicted for the test rows of a split.

    Parameters
    ----------
    score : ndarray of float64, shape (n_test,)
        Probability of being won.
    cpu_s : float
        CPU seconds to learn and to score the test rows, threads and children included.
    wall_s : float
        Seconds of the clock; NaN where not measured.
    said : str
        What the contender is made of: versions and settings.
    """

    score: np.ndarray
    cpu_s: float
    wall_s: float = float("nan")
    said: str = ""


def answer(
    contender: OutsideContender, leads: LeadSet, split: Split, *, run: str = "missing"
) -> Answer | None:
    """Return a contender's answer from the cache or by running it; None where neither is possible.

    Parameters
    ----------
    contender : OutsideContender
    leads : LeadSet
    split : Split
    run : {"missing", "all", "none"}, default="missing"
        Run it where the cache has no answer, always, or never.

    Returns
    -------
    Answer or None
        None where the cache has no answer and the contender was not to run or its environment is absent.
    """
    folder = CACHE / contender.name / _key(contender, leads, split)
    done = folder / "predictions.json"
    wanted = run == "all" or (run == "missing" and not done.exists())
    if wanted and contender.python.exists():
        _run(contender, leads, split, folder)
    return _read(done) if done.exists() else None


def _key(contender: OutsideContender, leads: LeadSet, split: Split) -> str:
    """Same cells, split, versions, settings and budget: same key."""
    recipe = json.dumps([contender.pins, contender.cpu_budget_s, RECIPE_VERSION])
    return f"{fingerprint(leads, split)}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def _run(contender: OutsideContender, leads: LeadSet, split: Split, folder: Path) -> None:
    """Export the split, run the contender on it in its environment, and tidy up."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    train = leads.frame.iloc[split.train].assign(**{LABEL: leads.y[split.train]})
    train.to_parquet(folder / "train.parquet", index=False)
    leads.frame.iloc[split.test].to_parquet(folder / "test.parquet", index=False)
    command = [contender.python, RUNNER, contender.name, "--split", folder, "--out", folder]
    command += ["--cpu-budget-s", contender.cpu_budget_s]
    log = folder / "log.txt"
    with log.open("w", encoding="utf-8") as file:
        done = subprocess.run(
            list(map(str, command)),
            check=False,
            stdout=file,
            stderr=subprocess.STDOUT,
            env=os.environ | {"OMP_NUM_THREADS": "1"},
        )
    if done.returncode != 0:
        message = f"{contender.title} failed with {done.returncode}; what it said is in {log}"
        raise SystemExit(message)
    shutil.rmtree(folder / "work", ignore_errors=True)
    for part in ("train", "test"):
        (folder / f"{part}.parquet").unlink()


def _read(path: Path) -> Answer:
    told = json.loads(path.read_text(encoding="utf-8"))
    versions = ", ".join(f"{name} {number}" for name, number in told["versions"].items())
    return Answer(np.array(told["score"]), told["cpu_s"], told["wall_s"], versions)
