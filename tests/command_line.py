"""Runs the command line in this process, as a user would in theirs."""

import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from unittest.mock import patch

from leadlift.cli import main


@dataclass(frozen=True)
class Run:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str


def run_cli(*arguments: object) -> Run:
    """Run ``leadlift`` with these arguments."""
    out, err = io.StringIO(), io.StringIO()
    line = ["leadlift", *map(str, arguments)]
    code = 0
    with patch.object(sys, "argv", line), redirect_stdout(out), redirect_stderr(err):
        try:
            main()
        except SystemExit as stop:
            code = stop.code or 0
    return Run(code, out.getvalue(), err.getvalue())


def run_ok(*arguments: object) -> Run:
    """Run a command that is to end well."""
    run = run_cli(*arguments)
    assert run.code == 0, run.err
    return run
