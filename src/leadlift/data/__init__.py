"""Read, check, and turn into the rows of the learning problem."""
