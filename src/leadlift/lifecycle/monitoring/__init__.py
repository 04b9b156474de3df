"""Watching a model in service: what it is given, what it says, and what became of it."""
