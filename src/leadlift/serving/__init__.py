"""Ship a model and predict with it."""
