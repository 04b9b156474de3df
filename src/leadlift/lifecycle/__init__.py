"""Watch, track, retrain."""
