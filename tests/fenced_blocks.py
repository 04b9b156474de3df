"""The fenced blocks of the pages."""

import re
from pathlib import Path

FENCED = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", flags=re.DOTALL | re.MULTILINE)


def blocks(page: Path, language: str) -> list[str]:
    """Return the fenced blocks of a page in one language, a regular expression; those within lists too."""
    # All blocks in turn, so that the end of one is not taken for the beginning of the next.
    found = FENCED.findall(page.read_text(encoding="utf-8"))
    return [
        re.sub(rf"^{indent}", "", block, flags=re.MULTILINE)
        for indent, name, block in found
        if re.fullmatch(language, name)
    ]
