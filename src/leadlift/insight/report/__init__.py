"""One self-contained HTML report: sections made of blocks, and what writes them as a page."""
