"""How many threads linear algebra takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def one_blas_thread() -> AbstractContextManager[object]:
    """Return a context in which linear algebra takes one thread.

    The matrices of a calibrator or a ridge regression are so small that several threads mostly wait for
    each other (half the CPU of a fit), and with one the last bits do not depend on the machine's cores.
    """
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
