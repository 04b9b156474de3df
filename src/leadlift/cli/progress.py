"""How far a scoring job is, on stderr: a bar for people, lines of JSON for machines."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

EVERY_SECONDS = 5.0


def rows_done(log: str, total: int | None) -> AbstractContextManager[Callable[[int], None]]:
    """Show rows scored, rows a second and, where the total is known, the time left.

    Parameters
    ----------
    log : str
        ``"bar"`` or ``"json"``.
    total : int or None
        Rows of the job.

    Raises
    ------
    SystemExit
        With code 2: `log` is another word.
    """
    if log not in LOGS:
        print(f"--log takes {' or '.join(LOGS)}, got {log!r}", file=sys.stderr)
        raise SystemExit(2)
    return LOGS[log](total)


@contextmanager
def _bar(total: int | None) -> Iterator[Callable[[int], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    start = time.perf_counter()
    columns = (
        TextColumn("Scoring {task.completed:,.0f} leads"),
        BarColumn(20),
        TaskProgressColumn(),
        TextColumn("{task.fields[speed]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("score", total=total, speed="")

        def tell(done: int) -> None:
            # Rows come in pieces of many thousands, which a moving average would take for bursts.
            per_second = _state(done, total, time.perf_counter() - start)["rows_per_second"]
            progress.update(task, completed=done, speed=f"{per_second:,} a second")

        yield tell


@contextmanager
def _json_lines(total: int | None) -> Iterator[Callable[[int], None]]:
    """A line at the first rows and then every few seconds."""
    start = time.perf_counter()
    told_at = -EVERY_SECONDS

    def tell(done: int) -> None:
        nonlocal told_at
        seconds = time.perf_counter() - start
        if seconds - told_at >= EVERY_SECONDS:
            told_at = seconds
            print(json.dumps(_state(done, total, seconds)), file=sys.stderr, flush=True)

    yield tell


def _state(done: int, total: int | None, seconds: float) -> dict[str, str | float | None]:
    per_second = done / seconds if seconds else 0.0
    left = (total - done) / per_second if total is not None and per_second else None
    return {
        "event": "progress",
        "rows": done,
        "rows_total": total,
        "rows_per_second": round(per_second),
        "seconds": round(seconds, 2),
        "seconds_left": None if left is None else round(left, 1),
    }


LOGS = {"bar": _bar, "json": _json_lines}
