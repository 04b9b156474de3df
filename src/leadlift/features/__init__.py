"""What was known at the moment of scoring."""
