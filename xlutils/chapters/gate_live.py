"""The gate: vectors from production against the candidate's, to see whether something moved on the way."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np

from xlutils.chapters.gate import Drift, Gate
from xlutils.chapters.gate_findings import LEAST
from xlutils.chapters.gate_sides import Side
from xlutils.datasets.vectors import VectorTable
from xlutils.errors import XlError
from xlutils.metrics.drift import mmd
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.uncertainty import holm

_MOST_LIVE = 500  # vectors of a language that are compared


def with_drift(gate: Gate, live: VectorTable, candidate: Side, seed: int = 42) -> Gate:
    """Return the gate with a comparison of live vectors and the candidate's canaries, by language and role.

    The live texts should be the canaries, sent through production, or be like them; others differ by what they say.

    :raises XlError: If the dimensions differ, or no language is judged.
    """
    dim = candidate.documents[gate.canaries.pivot].shape[1]
    if live.vectors.shape[1] != dim:
        raise XlError(f"{live.name} has {live.vectors.shape[1]} dimensions, {candidate.name} {dim}; give its vectors")
    counts = Counter((code, role) for _, code, role in live.keys if code in gate.findings)
    if not counts:
        raise XlError(f"{live.name} has no vector of the languages that are compared")
    tests, unseen = [], []
    for (code, role), count in counts.items():
        space = (candidate.queries if role == "query" else candidate.documents)[code]
        reference = space[np.isfinite(space[:, 0])]
        if min(count, len(reference)) < LEAST:
            unseen.append(code)
            continue
        rows = [row for row, key in enumerate(live.keys) if key[1:] == (code, role)]
        rows = np.random.default_rng(seed).permutation(rows)[:_MOST_LIVE].tolist()
        tests.append(Drift(code, role, len(rows), *mmd(unit_rows(live.vectors[rows]), reference, seed=seed)))
    corrected = holm([test.p_value for test in tests]) if tests else ()
    drift = (replace(test, p_value=float(p)) for test, p in zip(tests, corrected, strict=True))
    return replace(gate, drift=tuple(drift), unseen=tuple(dict.fromkeys(unseen)))
