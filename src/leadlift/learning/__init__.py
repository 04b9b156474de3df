"""Split, encode, tune, calibrate, cut off."""
