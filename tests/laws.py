"""How laws are tried: the same examples on every run, and no deadline on a shared machine."""

from hypothesis import settings

settings.register_profile("laws", derandomize=True, deadline=None)
settings.load_profile("laws")

law = settings(max_examples=40)
