"""Reports tell what was found, carry out no markup of others, and need nothing from elsewhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from xml.etree import ElementTree

from pipelines.data.contamination import Guarded
from pipelines.data.merging import Sourced, merged
from pipelines.data.pairs import paired
from pipelines.data.plots import Bar, Plot, histogram, svg
from pipelines.data.preferences import Preference
from pipelines.data.report import Report, Table, markdown, page
from pipelines.data.rows import Provenance
from pipelines.data.telling import of_pairs, of_trajectories
from tests.pipelines.data.solved import KINDS, rows_of

ORIGIN = Provenance(source="judge", method="scores", licence="own")
EVIL = '<script>alert(1)</script> | `x` [a](http://b) ]]> & "q"'


class Tags(HTMLParser):
    """Every tag of a page with its attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += attrs


def pairs() -> Report:
    offered = [
        Preference(f"{EVIL} {n}", f"good {EVIL}", "bad", n / 50, n / 50, ORIGIN) for n in range(50)
    ]
    return of_pairs("Pairs of <b>support</b>", paired(offered, Guarded([])))


def trajectories() -> Report:
    rows = rows_of("support_replies", 40)
    made = merged([Sourced("a", rows, [ORIGIN] * 40)], KINDS["support_replies"], Guarded([]), 40)
    return of_trajectories("Trajectories", made)


def test_a_page_of_pairs_has_statistics_and_plots_and_lists_what_was_set_aside() -> None:
    text = page(pairs())
    assert text.count("<svg") == 4
    for words in ("gap", "decontamination", "at least 1000", "mean gap", "Set aside: unsure"):
        assert words in text
    assert "40 pairs are kept of 50" in text
    found = Tags(text)
    assert "script" not in found.tags
    assert "b" not in found.tags
    links = {"href", "src", "onclick", "onload"}
    assert not [name for name, _ in found.attributes if name in links]
    assert "alert(1)" in text


def test_every_plot_is_well_formed_and_as_high_as_its_figures() -> None:
    for report in (pairs(), trajectories()):
        for plot in report.plots:
            ElementTree.fromstring(svg(plot))
    drawn = svg(Plot(EVIL, (Bar(EVIL, 2.0), Bar("b", 1.0)), 0.5, EVIL))
    tree = ElementTree.fromstring(drawn)
    high = [float(one.attrib["height"]) for one in tree.iter() if one.tag.endswith("rect")]
    assert high[0] == 2 * high[1] > 0


def test_a_histogram_counts_everything_once() -> None:
    plot = histogram("x", [0.0, 0.04, 0.5, 1.0, 7.0, -3.0], 0, 1)
    assert sum(bar.value for bar in plot.bars) == 6
    assert (plot.bars[0].value, plot.bars[10].value, plot.bars[-1].value) == (3, 1, 2)


def test_markdown_says_the_same_and_its_tables_hold() -> None:
    text = markdown(pairs())
    assert "| gap | 0.490" in text
    assert "<script" not in text
    assert "## Set aside: unsure" in text
    for block in text.split("\n\n"):
        if block.startswith("|"):
            widths = {len(re.findall(r"(?<!\\)\|", line)) for line in block.splitlines()}
            assert len(widths) == 1, block


def test_a_report_of_trajectories_tells_parts_sources_and_licences() -> None:
    text = markdown(trajectories())
    for words in (
        "| validity | 1.000",
        "| overall |",
        "| a | 1.000",
        "| judge | scores | own | 40 |",
    ):
        assert words in text


def test_the_same_data_make_the_same_report() -> None:
    assert page(pairs()) == page(pairs())
    assert not re.search(r"20\d\d-\d\d", page(trajectories()))


def test_a_table_without_rows_and_a_plot_without_bars_are_told_as_such() -> None:
    report = Report("empty", (), (), (Plot("none", ()),), (Table("t", ("a",), []),))
    assert "nothing" in markdown(report)
    ElementTree.fromstring(svg(report.plots[0]))
    assert "<h2>t</h2>" in page(report)
