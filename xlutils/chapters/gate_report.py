"""The gate: its outcome for the terminal, for people (HTML), for programs (JSON) and for CI (JUnit XML)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any
from xml.etree import ElementTree

from jinja2 import Environment

from xlutils.chapters.gate import HELD, UNKNOWN, WORSE, Drift, Gate
from xlutils.chapters.gate_findings import TOGETHER, Finding
from xlutils.chapters.gate_values import ABOUT
from xlutils.datasets.languages import language_name

_SHOWN = 20  # languages of the table in the terminal
_DETAILED = 5  # languages that are shown in full there
_WIDTH = 60  # characters of a text
_NO_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{{ headline }}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:70rem;margin:2rem auto;padding:0 1rem;color:#1b1b1b}
table{border-collapse:collapse}th,td{padding:.2rem .7rem;text-align:left;border-bottom:1px solid #ccc}
.worse{background:#fbe3dc}</style></head>
<body><h1>{{ headline }}</h1>
{% for line in about %}<p>{{ line }}</p>
{% endfor %}{% for block in blocks %}<h2>{{ block[0] }}</h2>
<ul>{% for line in block[1:] %}<li>{{ line }}</li>
{% endfor %}</ul>
{% endfor %}<h2>All languages</h2>
<table><thead><tr><th scope="col">Language</th>
{%- for measure in measures %}<th scope="col" title="{{ measures[measure] }}">{{ measure }}</th>{% endfor %}
<th scope="col">Verdict</th></tr></thead>
<tbody>{% for code in gate.findings %}<tr><th scope="row">{{ code | name }} ({{ code }})</th>
{%- for measure in measures %}{% set cell = cells.get((code, measure)) %}
<td{% if cell and cell.is_worse %} class="worse"{% endif %}>{{ cell | change if cell }}</td>{% endfor %}
<td>{{ gate.verdict(code) }}{{ ": " ~ gate.reasons[code] if code in gate.reasons }}</td></tr>
{% endfor %}</tbody></table>
</body></html>
"""


def headline(gate: Gate) -> str:
    """Return the verdict in one line."""
    worse, drifted, held = gate.languages(WORSE), gate.drifted, gate.languages(HELD)
    parts = [f"{len(worse)} of {len(gate.findings)} languages got worse: {_names(worse)}"] * bool(worse)
    measures = ", ".join(finding.measure for finding in gate.lost)
    parts += [f"the languages got worse together ({measures}), though none of them beyond doubt"] * bool(
        measures and not worse
    )
    parts += [f"live vectors drifted in {_names(drifted)}"] * bool(drifted)
    if parts:
        shared = gate.canaries.pivot in worse and len(worse) > 1
        hint = f"; all are compared with {language_name(gate.canaries.pivot)}, so look there first" * shared
        return f"WORSE: {'; '.join(parts)}{hint}"
    missing = list(dict.fromkeys([*gate.languages(UNKNOWN), *gate.unseen]))
    judged = f"{len(held)} judged" + f", {len(missing)} not" * bool(missing)
    if gate.code == 2:
        return f"COULD NOT JUDGE {_names(missing)}; no other language got worse ({judged})"
    return f"SAFE: no language got worse by more than {gate.margin:g} ({judged})"


def report_text(gate: Gate) -> str:
    """Return the report for the terminal: verdict, what got worse, notes, and a table of languages."""
    lines = [headline(gate), *about(gate)]
    for first, *rest in blocks(gate, _DETAILED):
        lines += ["", first, *(f"  {line}" for line in rest)]
    return "\n".join([*lines, "", *_table(gate)])


def about(gate: Gate) -> Iterator[str]:
    """Yield what was compared, and how much a loss must be to be seen."""
    findings = [finding for column in gate.findings.values() for finding in column]
    yield f"{gate.names[0]} -> {gate.names[1]}, on {gate.canaries.name}; margin {gate.margin:g}"
    least = {len(finding.rows): finding.least for finding in findings if finding.least}
    if least:
        count = min(least)
        yield f"{len(findings)} tests together; of {count} canaries, a loss of {least[count]} would be noticed"


def blocks(gate: Gate, most: int = 1000) -> Iterator[list[str]]:
    """Yield a title and lines for each language that got worse, for drift, for notes, and for what was not judged.

    :param most: Number of languages that are shown; the others are named.
    """
    worse = gate.languages(WORSE)
    if gate.lost:
        yield ["In the mean over languages", *map(_loss, gate.lost)]
    for code in worse[:most]:
        yield [_title(code), *_losses(gate, code)]
    if worse[most:]:
        yield [f"{len(worse) - most} more got worse", _names(worse[most:])]
    drift = [_drift_line(test) for test in gate.drift if test.is_drift]
    if drift:
        yield ["Live vectors that differ from the candidate's", *drift]
    if gate.warnings or gate.notes:
        yield ["Notes", *(f"WARNING: {line}" for line in gate.warnings), *gate.notes]
    unknown = [f"{_title(code)}: {gate.reasons[code]}" for code in gate.languages(UNKNOWN)]
    unknown += [f"{_title(code)}: too few live vectors" for code in gate.unseen]
    if unknown:
        more = [f"and {len(unknown) - most} more"] * (len(unknown) > most)
        yield [f"Not judged: {len(unknown)}", *unknown[:most], *more]


def _losses(gate: Gate, code: str) -> Iterator[str]:
    for finding in gate.findings[code]:
        if finding.is_worse:
            yield _loss(finding)
            example = gate.examples[code, finding.measure]
            about = dict.fromkeys([example.key, example.pivot])
            found = f", finds {_short(example.found)}" if example.found else ""
            yield f"  lost: {_short(example.text)} ({'; '.join(map(_short, about))}){found}"


def _loss(finding: Finding) -> str:
    interval = f"({finding.low:+.2f} to {finding.high:+.2f})"
    return f"{finding.measure} {_change(finding)} {interval}, p = {finding.p_value:.1g}, n = {len(finding.rows)}"


def _table(gate: Gate) -> Iterator[str]:
    """Yield the languages with their measures before and after."""
    order = [code for verdict in (WORSE, UNKNOWN, HELD) for code in gate.languages(verdict) if gate.findings[code]]
    names = {code: _title(code) for code in order[:_SHOWN]}
    width = max([8, *map(len, names.values())])
    yield _row("language", width, {measure: measure for measure in ABOUT}, "verdict")
    for code, name in names.items():
        cells = {finding.measure: _change(finding) for finding in gate.findings[code]}
        yield _row(name, width, cells, gate.verdict(code))
    if len(order) > _SHOWN:
        yield f"and {len(order) - _SHOWN} more; --html and --json have all"
    if any(finding.is_doubtful for column in gate.findings.values() for finding in column):
        yield "? would be worse if it were the only test; of many, a few are by chance"


def _row(name: str, width: int, cells: Mapping[str, str], verdict: str) -> str:
    return "  ".join([f"{name:{width}}", *(f"{cells.get(measure, ''):>15}" for measure in ABOUT), verdict])


def report_html(gate: Gate) -> str:
    """Return the report as a page that needs nothing else; texts of canaries cannot break out of it."""
    environment = Environment(autoescape=True)
    environment.filters |= {"name": language_name, "change": _change}
    cells = {(code, finding.measure): finding for code, column in gate.findings.items() for finding in column}
    parts = {"headline": headline(gate), "about": [*about(gate)], "blocks": [*blocks(gate)]}
    return environment.from_string(_PAGE).render(**parts, gate=gate, cells=cells, measures=ABOUT)


def report_json(gate: Gate) -> str:
    """Return everything as JSON, with the values of each canary."""
    languages: dict[str, Any] = {}
    for code, findings in gate.findings.items():
        languages[code] = {"verdict": gate.verdict(code), "reason": gate.reasons.get(code, "")}
        languages[code]["measures"] = {finding.measure: _finding(gate, finding) for finding in findings}
    content = {
        "verdict": headline(gate),
        "exit_code": gate.code,
        "base": gate.names[0],
        "candidate": gate.names[1],
        "canaries": {"name": gate.canaries.name, "sha256": gate.canaries.sha256},
        "margin": gate.margin,
        "warnings": gate.warnings,
        "notes": gate.notes,
        "languages": languages,
        "together": {finding.measure: _finding(gate, finding) for finding in gate.together},
        "drift": [{**vars(test), "is_drift": test.is_drift} for test in gate.drift],
        "live_not_judged": list(gate.unseen),
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _finding(gate: Gate, finding: Finding) -> dict[str, Any]:
    example = gate.examples.get((finding.language, finding.measure))
    return {
        "before": float(finding.before.mean()),
        "after": float(finding.after.mean()),
        "change": finding.change,
        "low": finding.low,
        "high": finding.high,
        "p_value": finding.p_value,
        "is_worse": finding.is_worse,
        "least_loss": finding.least,
        "example": vars(example) if example else None,
        "canaries": [gate.canaries.ids[row] for row in finding.rows],
        "values_before": finding.before.round(4).tolist(),
        "values_after": finding.after.round(4).tolist(),
    }


def report_junit(gate: Gate) -> str:
    """Return the report as JUnit XML: one test case per language, failed if worse, an error if not judged."""
    suite = ElementTree.Element("testsuite", name="xl gate", tests=str(len(gate.findings)))
    counts = {"failures": 0, "errors": 0}
    for code in gate.findings:
        case = ElementTree.SubElement(suite, "testcase", classname=_xml(gate.names[1]), name=_title(code))
        drift = [_drift_line(test) for test in gate.drift if test.is_drift and test.language == code]
        lines = [*_losses(gate, code), *drift]
        reason = gate.reasons.get(code) or ("too few live vectors" if code in gate.unseen else "")
        if lines:
            counts["failures"] += 1
            ElementTree.SubElement(case, "failure", message=_xml(lines[0])).text = _xml("\n".join(lines))
        elif reason and (gate.asked or gate.code == 2):
            counts["errors"] += 1
            ElementTree.SubElement(case, "error", message=_xml(reason))
        elif reason:
            ElementTree.SubElement(case, "skipped", message=_xml(reason))
    if gate.lost:
        counts["failures"] += 1
        case = ElementTree.SubElement(suite, "testcase", classname=_xml(gate.names[1]), name=TOGETHER)
        ElementTree.SubElement(case, "failure", message=_loss(gate.lost[0])).text = "\n".join(map(_loss, gate.lost))
        suite.set("tests", str(len(gate.findings) + 1))
    for name, count in counts.items():
        suite.set(name, str(count))
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _change(finding: Finding) -> str:
    mark = "*" if finding.is_worse else "?" if finding.is_doubtful else ""
    return f"{finding.before.mean():.2f} -> {finding.after.mean():.2f}{mark}"


def _drift_line(test: Drift) -> str:
    return f"{_title(test.language)}, {test.role}: MMD² {test.distance:.3f}, p = {test.p_value:.1g}, n = {test.count}"


def _title(code: str) -> str:
    return f"{language_name(code)} ({code})"


def _names(codes: list[str]) -> str:
    shown = ", ".join(map(language_name, codes[:_SHOWN]))
    return f"{shown} and {len(codes) - _SHOWN} more" if len(codes) > _SHOWN else shown


def _short(text: str) -> str:
    """Return a text in one line that a terminal shows and does not obey."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return f"{line[:_WIDTH]}..." if len(line) > _WIDTH else line


def _xml(text: str) -> str:
    return _NO_XML.sub(" ", text)
