"""What was learnt, without the learning: the parts of a model that score, on NumPy and Arrow alone."""
