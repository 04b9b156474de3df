"""``python -m leadlift.cli`` is ``leadlift``."""

from leadlift.cli import main

main()
