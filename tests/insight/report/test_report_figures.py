"""Figures stand in the page: lines as SVG with real text, clouds as a picture, the same each time."""

from xml.etree import ElementTree as ET

import pytest
from PIL import Image

from leadlift.insight.report.figures import figure_html, n_points
from report_pages import HOSTILE, cloud, figure, scores

SVG = "{http://www.w3.org/2000/svg}"


def drawn(of, key="quality-1"):
    return str(figure_html(of, key=key, title="Drivers", alt="Visits move the score most."))


def parsed(of, **settings):
    return ET.fromstring(drawn(of, **settings))  # noqa: S314 -- our own text


def test_lines_are_drawn_as_svg_whose_text_can_be_searched():
    texts = ["".join(text.itertext()).strip() for text in parsed(figure()).iter(f"{SVG}text")]
    assert {"visits", "source", "visits moves the score most"} <= set(texts)


def test_a_figure_says_what_it_shows_to_those_who_cannot_see_it():
    root = parsed(figure())
    named = {node.get("id"): node.text for node in root if node.tag in (f"{SVG}title", f"{SVG}desc")}
    assert root.get("role") == "img"
    assert [named[key] for key in root.get("aria-labelledby").split()] == [
        "Drivers",
        "Visits move the score most.",
    ]


def test_a_cloud_of_points_is_a_picture_with_its_text_beside_it():
    assert n_points(cloud()) > 1_000
    assert n_points(figure()) == 0
    assert drawn(cloud()).startswith('<img src="data:image/png;base64,')
    assert 'alt="Visits move the score most."' in drawn(cloud())


@pytest.mark.parametrize("make", [figure, scores, cloud])
def test_equal_figures_give_equal_text(make):
    assert drawn(make()) == drawn(make())
    one = make()
    assert drawn(one) == drawn(one)


def test_no_id_of_one_figure_is_that_of_another():
    def ids(key):
        return {node.get("id") for node in parsed(scores(), key=key).iter() if node.get("id")}

    assert len(ids("a-1")) > 10
    assert ids("a-1").isdisjoint(ids("a-2"))


def test_references_within_a_figure_are_kept():
    root = parsed(scores())
    ids = {node.get("id") for node in root.iter()}
    uses = [node.get("{http://www.w3.org/1999/xlink}href") for node in root.iter(f"{SVG}use")]
    clips = [node.get("clip-path") for node in root.iter() if node.get("clip-path")]
    assert uses
    assert clips
    assert {use.removeprefix("#") for use in uses} <= ids
    assert {clip.removeprefix("url(#").removesuffix(")") for clip in clips} <= ids


@pytest.mark.parametrize("name", HOSTILE[:-3])
def test_a_hostile_name_is_text_in_the_figure_and_nothing_else(name):
    root = parsed(figure([name, "visits"]))
    tags = {node.tag.removeprefix(SVG) for node in root.iter()}
    assert tags <= {"svg", "title", "desc", "g", "path", "text", "tspan", "defs", "use", "clipPath", "rect"}
    assert not [key for node in root.iter() for key in node.attrib if key.startswith("on")]


def test_drawing_changes_no_setting_of_matplotlib():
    from matplotlib import rcParams

    before = dict(rcParams)
    drawn(figure())
    assert dict(rcParams) == before


def test_a_picture_is_twice_as_wide_as_a_telephone():
    import base64
    from io import BytesIO

    data = drawn(cloud()).partition("base64,")[2].partition('"')[0]
    assert Image.open(BytesIO(base64.b64decode(data))).width >= 2 * 360
