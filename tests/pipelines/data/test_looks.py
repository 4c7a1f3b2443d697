"""Our pages can be read by everybody: in the light and the dark, narrow, and by who hears them."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest

from pipelines.data.looks import DARK, LIGHT
from pipelines.data.plots import Bar, Curve, Plot, Span, beside, line, svg
from pipelines.data.report import Checked, Report, Table, page

TEXT = ("ink", "soft", "mark", "no", "yes")
CURVE = Curve("srl: kl", ((1, 0.02), (2, 0.3), (3, 0.05)), 0.1)


def luminance(colour: str) -> float:
    """As WCAG 2 has it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = [
        one / 12.92 if one <= 0.04045 else ((one + 0.055) / 1.055) ** 2.4 for one in parts
    ]
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "band"])
def test_all_text_stands_out_from_its_ground(colours: dict[str, str], ground: str) -> None:
    for name in TEXT:
        light, dark = sorted((luminance(colours[name]), luminance(colours[ground])), reverse=True)
        assert (light + 0.05) / (dark + 0.05) >= 4.5, (name, ground)


def told() -> str:
    span = Span(0.05, 0.02, 0.08, 0.1)
    return page(
        Report(
            "Run 7", ("Deploy: it passed.", "Role sums."),
            (Checked("srl: kl", "0.05", "at most 0.1", True, span),),
            (Plot("Gaps", (Bar("0.1", 3), Bar("0.2", 5)), 0.5, "at least 0.15"),),
            (Table("Late", ("a",), [(1,)]), Table("Soon", ("b",), [(2,)], early=True)),
            (CURVE,),
        )
    )  # fmt: skip


def test_what_is_wide_scrolls_within_the_page_and_has_a_name() -> None:
    text = told()
    assert text.count("<table") == text.count('role="region" aria-label="') == 3
    assert text.count('<div class="t"') == 5  # tables, a plot, a curve
    assert "width=device-width" in text
    assert "prefers-color-scheme:dark" in text
    assert not re.search(r"<th(?! scope)", text)


def test_the_verdict_comes_first_and_what_explains_it_before_the_figures() -> None:
    text = told()
    order = [text.index(one) for one in ("Deploy: it passed.", "Soon", "srl: kl", "Gaps", "Late")]
    assert order == sorted(order)


def test_every_plot_says_in_words_what_it_shows() -> None:
    for drawn, words in (
        (line(CURVE), "From 0.02 at step 1 to 0.05 at step 3, between 0.02 and 0.3; its gate lies"),
        (line(Curve("none", ())), "Nothing was recorded."),
        (svg(Plot("Gaps", (Bar("<b>", 3), Bar("c", 1)))), "2 bars, 4 in all, most at <b>."),
    ):
        tree = ElementTree.fromstring(drawn)
        title, words_of = tree[0], tree[1]
        assert title.tag.endswith("title")
        assert words_of.tag.endswith("desc")
        assert words in (words_of.text or "")


@pytest.mark.parametrize(
    ("span", "order"),
    [
        (Span(0.05, 0.02, 0.08, 0.1), "low value high bound"),
        (Span(0.3, 0.2, 0.4, 0.1), "bound low value high"),
        (Span(5, 5, 5, 5), ""),
        (Span(0, 0, 0, 0), ""),
    ],
)
def test_a_figure_is_drawn_on_the_side_of_its_bound_where_it_lies(span: Span, order: str) -> None:
    tree = ElementTree.fromstring(beside(span))
    _, bar, dot, edge = tree
    at = {
        "low": float(bar.attrib["x"]),
        "value": float(dot.attrib["cx"]),
        "high": float(bar.attrib["x"]) + float(bar.attrib["width"]),
        "bound": float(edge.attrib["x1"]),
    }
    assert all(0 <= one <= 144 for one in at.values())
    places = [at[name] for name in order.split()]
    assert places == sorted(places)
