"""How laws are tried: the same examples on every run, and no deadline on a shared machine."""

from hypothesis import settings

law = settings(max_examples=40, derandomize=True, deadline=None)
