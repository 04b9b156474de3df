"""The model as a points table: binned, distilled, rounded, measured, written."""
