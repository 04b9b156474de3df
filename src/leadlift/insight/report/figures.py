"""Figures as parts of a page: drawn lines as SVG, clouds of points as a picture."""

from __future__ import annotations

import base64
import re
from io import BytesIO, StringIO
from typing import TYPE_CHECKING

from leadlift.insight.figure_style import DOTS_PER_INCH, missing_glyphs_ignored
from leadlift.insight.report.text import LONGEST_PARAGRAPH, safe_text, without_steering

if TYPE_CHECKING:
    from markupsafe import Markup
    from matplotlib.figure import Figure

# One point takes some 60 bytes as SVG; of more points a picture is smaller, and quicker to draw.
MOST_SVG_POINTS = 1_000

_NO_METADATA = dict.fromkeys(("Creator", "Date", "Format", "Type"))
_TAG = re.compile(r"<[^>]*>")
_REFERENCE = re.compile(r'(\bid="|href="#|url\(#)')
_FONT_FAMILIES = re.compile(r"'DejaVu Sans'[^;\"]*")
_OPENING = re.compile(r"<svg [^>]*?(viewBox=\"[^\"]*\")[^>]*>")
_STYLE = re.compile(r"<defs>\s*<style.*?</style>\s*</defs>", re.DOTALL)


def figure_html(figure: Figure, *, key: str, title: str, alt: str) -> Markup:
    """Return a figure as inline SVG whose text is text, or as PNG where it has very many points.

    Equal figures give equal text, and so does the same figure again: its layout is settled once.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
    key : str
        Of the figure in its page; begins every id in the SVG, so that two figures share none.
    title : str
        Its name, for those who cannot see it.
    alt : str
        What it shows, for those who cannot see it.

    Returns
    -------
    markupsafe.Markup
        An ``svg`` or an ``img`` element.
    """
    _settle(figure)
    return _img(figure, alt) if n_points(figure) > MOST_SVG_POINTS else _svg(figure, key, title, alt)


def n_points(figure: Figure) -> int:
    """Return how many single points the clouds of a figure have.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    int
    """
    from matplotlib.collections import PathCollection

    return sum(len(cloud.get_offsets()) for cloud in figure.findobj(PathCollection))


def _settle(figure: Figure) -> None:
    """Lay out once: constrained layout starts from where it ended, so each drawing would differ a little."""
    engine = figure.get_layout_engine()
    if engine is not None:
        with missing_glyphs_ignored():
            engine.execute(figure)
        figure.set_layout_engine("none")


def _svg(figure: Figure, key: str, title: str, alt: str) -> Markup:
    from markupsafe import Markup

    drawing = _STYLE.sub("", _drawn(figure, key))
    opening = _OPENING.search(drawing)
    body = _TAG.sub(lambda tag: _REFERENCE.sub(rf"\g<1>{key}-", tag[0]), drawing[opening.end() :])
    names = f"{key}-title {key}-desc"
    head = Markup(  # noqa: S704 -- both are matplotlib's own and checked names
        f'<svg role="img" aria-labelledby="{names}" {opening[1]} xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
    )
    told = Markup('<title id="{0}-title">{1}</title><desc id="{0}-desc">{2}</desc>').format(
        key, safe_text(title), safe_text(alt, LONGEST_PARAGRAPH)
    )
    return head + told + Markup(_FONT_FAMILIES.sub("sans-serif", body))  # noqa: S704 -- matplotlib escapes


def _drawn(figure: Figure, key: str) -> str:
    """Have matplotlib draw; ids hang on the key and on what is drawn, on nothing else."""
    from matplotlib import rc_context

    file = StringIO()
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": key}), missing_glyphs_ignored():
        figure.savefig(file, format="svg", metadata=_NO_METADATA)
    return "\n".join(map(without_steering, file.getvalue().splitlines()))


def _img(figure: Figure, alt: str) -> Markup:
    from markupsafe import Markup

    file = BytesIO()
    with missing_glyphs_ignored():
        figure.savefig(file, format="png", dpi=DOTS_PER_INCH, metadata={"Software": None})
    data = base64.b64encode(file.getvalue()).decode("ascii")
    width, height = (round(DOTS_PER_INCH * inches) for inches in figure.get_size_inches())
    return Markup('<img src="data:image/png;base64,{}" alt="{}" width="{}" height="{}">').format(
        data, safe_text(alt, LONGEST_PARAGRAPH), width, height
    )
