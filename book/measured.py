"""The generated parts of the benchmarks page, from `benchmarks.json` as `make bench`, `fuzz` and `soak` wrote it."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xlutils.plots.style import COLOURS, use_style

RESULTS = Path(__file__).with_name("benchmarks.json")
_HEADINGS = ("What", "Ratio", "Promised", "More")
Line = Mapping[str, Any]


def benchmark_parts(folder: Path) -> dict[str, str]:
    """Write the figures to a folder and return the texts of the parts by file name."""
    speed = json.loads(RESULTS.read_text(encoding="utf-8"))
    fuzz, soak, first = speed.pop("fuzz"), speed.pop("soak"), speed.pop("first-page")
    areas, samples = speed.values(), soak["results"]["samples"]
    lines = [line for area in areas for line in area["results"]]
    ratio_chart(lines).savefig(folder / "ratios.svg")
    memory_chart(samples).savefig(folder / "soak.svg")
    ratios = figure("ratios.svg", ratios_in_words(lines), "The promised ratios: median and range of the repeats.")
    memory = figure("soak.svg", memory_in_words(samples), f"Resident memory after each round. {origin(soak)}")
    return {
        "ratios.md": ratios,
        "speed.html": "\n".join(area_table(area["results"]) + origin_html(area) for area in areas),
        "first_page.html": steps_table(first["results"]) + origin_html(first),
        "fuzz.md": fuzz_sentence(fuzz),
        "fuzz.html": fuzz_table(fuzz["results"]["targets"]),
        "soak.md": f"{soak_sentence(soak)}\n\n{memory}",
    }


def figure(name: str, alt: str, caption: str) -> str:
    """Return a figure as Markdown."""
    return f"```{{figure}} parts/{name}\n:alt: {alt}\n\n{caption}\n```"


def origin(part: Mapping[str, Any]) -> str:
    """Return the machine, the date and the versions, in one line."""
    environment = part["environment"]
    versions = ", ".join(f"{name} {version}" for name, version in environment["packages"].items())
    machine = environment["gpu"] or environment["cpu"]
    machine += f" ({environment['features']})" if environment.get("features") else ""
    return f"{machine}, {part['created'][:10]}, Python {environment['python']}, {versions}."


def origin_html(part: Mapping[str, Any]) -> str:
    """Return the origin as HTML, to go below a table."""
    return f'<p class="origin">{html.escape(origin(part))}</p>'


def shortened(value: float) -> str:
    """Return a ratio with about three digits."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def area_table(lines: Iterable[Line]) -> str:
    """Return the results of one area as an HTML table with its name as caption."""
    lines = list(lines)
    rows = []
    for line in lines:
        low, high = shortened(min(line["ratios"])), shortened(max(line["ratios"]))
        spread = f"<small>{low} to {high}</small>" if len(line["ratios"]) > 1 else ""
        kind = "× the limit" if line["is_limit"] else "× as fast"
        promise = ""
        if line["promise"] is not None:
            bound = "at most" if line["is_limit"] else "at least"
            promise = f"{bound} {line['promise']:g}: <strong>{'holds' if line['holds'] else 'does not hold'}</strong>"
        note = re.sub(r"\^([\d.]+\d)", r"<sup>\1</sup>", html.escape(line["note"]))
        more = [
            f"{line['seconds']:.3g} s" if line["seconds"] is not None else "",
            note,
            f"{line['mib']:,.0f} MiB added" if line["mib"] is not None else "",
        ]
        what = f"{html.escape(line['what'])} <small>against {html.escape(line['peer'])}</small>"
        cells = f"<td><strong>{shortened(line['ratio'])}</strong> {kind} {spread}</td><td>{promise}</td>"
        rows.append(f'<tr><th scope="row">{what}</th>{cells}<td>{"; ".join(filter(None, more))}</td></tr>')
    heads = "".join(f'<th scope="col">{heading}</th>' for heading in _HEADINGS)
    inside = f"<caption>{html.escape(lines[0]['area'])}</caption><thead><tr>{heads}</tr></thead>"
    body = "\n".join(rows)
    return f'<table class="table measured">{inside}<tbody>{body}</tbody></table>'


def steps_table(results: Mapping[str, Any]) -> str:
    """Return an HTML table of the time of each step from a clone to the book, the longest first."""
    cold, warm = results["cold"], results["warm"]
    rows = []
    for step in sorted(cold, key=lambda name: -cold[name]):
        share = f"{100 * cold[step] / cold['all']:.0f} %"
        again = f"{warm[step]:.0f} s" if step in warm else "–"
        cells = f"<td>{cold[step]:.0f} s</td><td>{share}</td><td>{again}</td>"
        rows.append(f'<tr><th scope="row">{html.escape(step)}</th>{cells}</tr>')
    heads = "".join(f'<th scope="col">{name}</th>' for name in ("Step", "Fresh clone", "Share", "Nothing changed"))
    body = "\n".join(rows)
    return f'<table class="table measured"><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>'


def ratios_in_words(lines: Iterable[Line]) -> str:
    """Return the alt text of the chart of ratios."""
    parts = [
        f"{line['area']} against {line['peer']}: {shortened(line['ratio'])}, promised {line['promise']:g}"
        for line in lines
        if line["promise"] is not None
    ]
    return f"Ratios to peers and limits. {'; '.join(parts)}."


def ratio_chart(lines: Iterable[Line]) -> Figure:
    """Draw the promised ratios: times as fast as a peer, and multiples of a limit."""
    use_style()
    promised = [line for line in lines if line["promise"] is not None]
    peers, limits = ([line for line in promised if line["is_limit"] is wanted] for wanted in (False, True))
    heights = [len(peers) + 1, len(limits) + 1]
    chart, axes = plt.subplots(2, 1, figsize=(7.5, 0.42 * sum(heights) + 1), height_ratios=heights)
    _panel(axes[0], peers, "times as fast as the peer (more is better)", COLOURS[0])
    _panel(axes[1], limits, "times the limit (less is better)", COLOURS[1])
    chart.legend(*axes[0].get_legend_handles_labels(), loc="outside lower left", ncols=2, frameon=False, fontsize=9)
    plt.close(chart)
    return chart


def _panel(axis: Axes, lines: list[Line], unit: str, colour: str) -> None:
    places = range(len(lines))
    axis.hlines(
        places,
        [min(line["ratios"]) for line in lines],
        [max(line["ratios"]) for line in lines],
        linewidth=4,
        alpha=0.4,
        color=colour,
    )
    axis.plot([line["ratio"] for line in lines], places, "o", color=colour, label="measured: median and range")
    axis.plot(
        [line["promise"] for line in lines],
        places,
        "|",
        color="#222222",
        markersize=13,
        markeredgewidth=2,
        label="promised",
    )
    axis.axvline(1, color="#999999", linewidth=1)
    axis.set_xscale("log")
    axis.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    axis.set_yticks(places, [f"{line['area']}, {line['what']}\nagainst {line['peer']}" for line in lines], fontsize=7.5)
    axis.set_ylim(len(lines) - 0.5, -0.5)
    axis.set_xlabel(unit)
    axis.grid(axis="x", alpha=0.3)


def fuzz_table(targets: Mapping[str, Mapping[str, int]]) -> str:
    """Return an HTML table of how many cases each reader got and how many it refused."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{target["cases"]:,}</td><td>{target["refused"]:,}</td></tr>\n'
        for name, target in targets.items()
    )
    head = '<th scope="col">Reader</th><th scope="col">Cases</th><th scope="col">Refused with one line</th>'
    return f'<table class="table"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'


def fuzz_sentence(part: Mapping[str, Any]) -> str:
    """Return a sentence with the number of cases."""
    total = sum(target["cases"] for target in part["results"]["targets"].values())
    return f"{total:,} cases in {part['results']['seconds'] / 60:.0f} minutes. {origin(part)}"


def soak_sentence(part: Mapping[str, Any]) -> str:
    """Return sentences about the duration and the memory."""
    results = part["results"]
    samples, cells = results["samples"], results["cells"]
    totals = [sum(sample.values()) - sample["minute"] for sample in samples]
    third = max(len(totals) // 3, 1)
    middle, last = median(totals[third : 2 * third] or totals), median(totals[-third:])
    change, per_cell = 100 * (last / middle - 1), 1024 * (last - middle) / (cells / 3)
    return (
        f"{samples[-1]['minute']:.0f} minutes, {len(samples)} rounds, {cells} cells, {results['vectors']:,} "
        f"vectors written and read. The three processes together used {middle:,.0f} MiB in the middle "
        f"third of the rounds and {last:,.0f} MiB in the last: {change:+.1f}%, "
        f"or {per_cell:.0f} KiB for each cell run in between."
    )


def memory_in_words(samples: list[Mapping[str, float]]) -> str:
    """Return the alt text of the chart of memory."""
    middle, last = samples[len(samples) // 2], samples[-1]
    parts = [
        f"{name} {middle[name]:.0f} MiB halfway and {last[name]:.0f} at the end" for name in last if name != "minute"
    ]
    return f"Memory over {last['minute']:.0f} minutes: {'; '.join(parts)}."


def memory_chart(samples: list[Mapping[str, float]]) -> Figure:
    """Draw the memory of each process over time."""
    use_style()
    chart, axis = plt.subplots(figsize=(7.5, 2.8))
    minutes = [sample["minute"] for sample in samples]
    for number, name in enumerate(name for name in samples[-1] if name != "minute"):
        axis.plot(minutes, [sample.get(name, float("nan")) for sample in samples], label=name, color=COLOURS[number])
    axis.set(xlabel="minutes", ylabel="MiB", ylim=(0, None), xlim=(0, None))
    axis.grid(alpha=0.3)
    chart.legend(loc="outside lower left", ncols=3, frameon=False, fontsize=9)
    plt.close(chart)
    return chart
