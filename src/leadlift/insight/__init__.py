"""Why: contributions, reasons, figures."""
