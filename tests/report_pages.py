"""Reports to show, harmless and hostile, and a reader that takes a page apart with the standard library."""

from html.parser import HTMLParser

import numpy as np
import pyarrow as pa

import leadlift as ll
from leadlift.insight.figure_style import new_axes
from leadlift.insight.plots import plot_drivers, plot_scores
from leadlift.insight.report.blocks import (
    Column,
    FactsBlock,
    FigureBlock,
    Format,
    Report,
    Section,
    TableBlock,
    TextBlock,
)
from leadlift.insight.report.sections.ideal_customer import ideal_customer_section
from leadlift.insight.report.sections.segments import segments_section
from leadlift.insight.report.sections.touches import touches_section
from leadlift.insight.report.sections.voice_of_lost import voice_of_lost_section

HOSTILE = (
    "<script>window.hacked = true; alert(1)</script>",
    "<img src=x onerror=\"window.hacked = true; alert('img')\">",
    "javascript:window.hacked=true",
    '"><svg onload="window.hacked=true">',
    "</title></style></table><iframe src='https://example.org/'>",
    "--><style>body{display:none}</style>",
    '=HYPERLINK("https://example.org","click")',
    "{{ 7 * 7 }}{% raw %}",
    "right\u202eto\u2066left\u200f",
    "nul\x00bell\x07escape\x1b[31m",
    "line\r\nbreak\u2028paragraph",
    "\ufeffעברית العربية 漢字 🎯",  # noqa: RUF001 -- scripts of the right and of the far east
    "W" * 2_000,
    "word " * 200_000,
    "x" * 1_000_000,
)
COLUMNS = (
    Column("segment", "Segment"),
    Column("n", "Leads", Format.COUNT),
    Column("rate", "Won", Format.SHARE, "low", "high", bar=True, hide_where="too_few"),
    Column("change", "Change", Format.POINTS),
    Column("seen", "Seen", Format.DATE),
    Column("differs", "Differs", Format.YES),
)


def rates(names) -> pa.Table:
    """A table of segments, the last of which is too small."""
    n = len(names)
    rate = np.linspace(0.4, 0.1, n)
    return pa.table(
        {
            "segment": list(names),
            "n": [1234 - i for i in range(n)],
            "rate": rate,
            "low": rate - 0.05,
            "high": rate + 0.05,
            "change": np.linspace(3, -3, n),
            "seen": pa.array([20_000] * n, pa.date32()),
            "differs": [i == 0 for i in range(n)],
            "too_few": [i == n - 1 for i in range(n)],
        }
    )


def figure(names=("visits", "source")):
    points = [float(i) for i in range(len(names), 0, -1)]
    return plot_drivers(
        pa.table({"column": list(names), "family": ["fit"] * len(names), "mean_abs_points": points})
    )


def scores():
    score = np.linspace(0.01, 0.9, 200)
    return plot_scores(score, score > 0.5, {"MQL": 0.3})


def cloud():
    axes = new_axes("A cloud of 1,200 dots")
    axes.scatter(*np.random.default_rng(0).normal(size=(2, 1_200)), s=3)
    return axes.get_figure()


def section(key, names, caption="Rates by segment", *, figures=True) -> Section:
    drawn = (figure(names), scores()) if figures else ()
    return Section(
        key=key,
        title=f"{names[0]} wins most",
        summary=f"It wins more often than {names[-1]}.",
        blocks=(
            TextBlock((f"What is known of {names[0]}.",)),
            TableBlock(caption, rates(names), COLUMNS, "ll.segments(values, won)", note=f"Of {names[0]}."),
            *(FigureBlock(caption, one, f"Bars of {names[0]}.", "ll.plots.plot_drivers(d)") for one in drawn),
            FactsBlock("Facts", tuple((name, name) for name in names), "facts()"),
        ),
    )


def plain_report() -> Report:
    names = [f"segment {i}" for i in range(60)]
    picture = FigureBlock("Each dot is a lead.", cloud(), "A cloud of dots.", "plot_shap_beeswarm()")
    dots = Section("dots", "Most dots are in the middle", "So it is.", (picture,), label="Dots")
    parts = (section("sources", names), section("pages", names[:5]), dots)
    return Report("What wins leads", "60 segments", parts)


def hostile_report() -> Report:
    parts = [
        section(f"part-{i}", [text, *HOSTILE[:3], "last"], caption=text, figures=i == 0)
        for i, text in enumerate(HOSTILE)
    ]
    heads = tuple(Column(name, text) for name, text in zip("ab", HOSTILE, strict=False))
    wide = pa.table({"a": list(HOSTILE), "b": list(HOSTILE)})
    blocks = (
        TableBlock(HOSTILE[2], wide, heads, HOSTILE[3]),
        FigureBlock(HOSTILE[0], figure(HOSTILE[:10]), HOSTILE[1], HOSTILE[2]),
        FigureBlock(HOSTILE[0], figure(HOSTILE[10:]), HOSTILE[1], HOSTILE[2]),
    )
    parts.append(Section("wide", HOSTILE[0], HOSTILE[1], blocks))
    return Report(HOSTILE[0], HOSTILE[-1], tuple(parts))


def hostile_leads_report() -> Report:
    """What the public functions find in leads whose columns and levels are hostile."""
    rng = np.random.default_rng(0)
    level, n_leads = rng.integers(0, len(HOSTILE), 900), 900
    names = (HOSTILE[0], HOSTILE[9], HOSTILE[-1])
    values = pa.table({name: [HOSTILE[i - k] for i in level] for k, name in enumerate(names)})
    won = rng.random(n_leads) < np.where(level < 4, 0.6, 0.1)
    created = np.datetime64("2025-01-01", "us") + rng.integers(0, 400, n_leads) * np.timedelta64(1, "D")
    ids = [f"L{i}" for i in range(n_leads)]
    touches = pa.table({"lead_id": ids, "occurred_at": created, "touch": values.column(0)})
    leads = pa.table({"lead_id": ids, "won": won, "until": created + np.timedelta64(5, "D")})
    profile = ll.IdealCustomerProfile().fit(values.slice(0, 450), won[:450])
    sections = (
        segments_section(ll.segments(values, won, as_of=created), traits=ll.won_traits(values, won)),
        touches_section({HOSTILE[0]: ll.attribute_wins(touches, leads)}),
        ideal_customer_section(profile.check(values.slice(450), won[450:])),
        voice_of_lost_section(ll.loss_reasons(values.column(1), ~won)),
    )
    return Report(HOSTILE[1], HOSTILE[2], sections)


class PageReader(HTMLParser):
    """Takes a page apart: which elements stand in which, and what they are called."""

    VOID = frozenset(("meta", "img", "br", "hr", "input", "link"))

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str], tuple[str, ...]]] = []
        self.texts: list[tuple[str, str]] = []
        self.misplaced: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), tuple(self.open)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.misplaced.append(tag)

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def all(self, tag):
        """Attributes of each element of this name."""
        return [attributes for name, attributes, _ in self.elements if name == tag]

    def values(self, attribute):
        """Each value of an attribute, in order."""
        return [attributes[attribute] for _, attributes, _ in self.elements if attribute in attributes]

    def text_of(self, tag):
        """Texts that stand directly in elements of this name."""
        return [text for name, text in self.texts if name == tag and text.strip()]
