"""Whether some languages lose more than others when a model or an index changes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from xlutils.metrics.uncertainty import Difference, bootstrap

Floats = NDArray[np.float64]
_PERMUTED = 9999


def loss_slope(before: Floats, after: Floats, cause: Floats, *, share: bool, seed: int = 42) -> Difference:
    """Return how the mean loss of a language grows with something about it, and how often chance alone does as much.

    Languages and items are both drawn again for the interval. For the p-value (two-sided), the causes are dealt out
    among the languages at random. What is compared is the slope in units of its own error, which holds where some
    languages are noisier than others (DiCiccio and Romano, 2017).

    :param before: Values of items in languages, [items, languages]; NaN where there is none. `after` likewise.
    :param cause: Something about each language that was not measured on these items, [languages]. If it is 1 for one
        group of languages and 0 for the others, the slope is the difference of the groups.
    :param share: Whether a loss is divided by what there was to lose. A language then weighs as much as it had, so
        that one that had next to nothing does not decide.
    :raises ValueError: If the cause is the same for all languages.
    """
    if np.ptp(cause) == 0:
        raise ValueError("the cause is the same for all languages")
    known = np.isfinite(before).astype(np.float64)
    losses, starts = np.nan_to_num(before - after), np.nan_to_num(before)
    rng = np.random.default_rng(seed)

    def slope(times: Floats, drawn: Floats, causes: Floats) -> Floats:
        """Return slopes, and slopes in units of their errors, [draws, 2]; items and languages count as drawn."""
        with np.errstate(invalid="ignore", divide="ignore"):
            counts = times @ known
            loss = drawn * (times @ losses / counts)
            weight = drawn * (times @ starts / counts if share else 1.0)
            total = weight.sum(axis=1, keepdims=True)
            centred = causes - (weight * causes).sum(axis=1, keepdims=True) / total
            rise = (loss * centred).sum(axis=1)
            slopes = rise / (weight * centred**2).sum(axis=1)
            rest = loss - weight * (loss.sum(axis=1, keepdims=True) / total + slopes[:, None] * centred)
            error = np.sqrt(((centred * rest) ** 2).sum(axis=1))
            return np.stack([slopes, np.where(rise == 0, 0, rise / error)], axis=1)

    def resampled(times: Floats) -> Floats:
        count = len(cause)
        drawn = rng.multinomial(count, np.full(count, 1 / count), size=len(times)).astype(np.float64)
        return slope(times, drawn, cause[None])[:, 0]

    once, everyone = np.ones((1, len(before))), np.ones((1, len(cause)))
    value, measured = slope(once, everyone, cause[None])[0]
    low, high = bootstrap(resampled, len(before), seed=seed)
    chance = slope(once, everyone, rng.permuted(np.tile(cause, (_PERMUTED, 1)), axis=1))[:, 1]
    p_value = (1 + (np.abs(chance) >= abs(measured) * (1 - 1e-12)).sum()) / (1 + _PERMUTED)
    return Difference(float(value), float(low), float(high), float(p_value))
