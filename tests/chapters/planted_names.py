"""Names of things whose vectors are planted, and the slow way to see which of them find each other."""

import numpy as np
from planted import planted_model

from xlutils.datasets.lexicon import Lexicon
from xlutils.metrics.geometry import unit_rows

LEVEL = 5e-6  # scores that differ by no more are equal


def random_units(seed, count, dim):
    """Vectors of unit length, float32 [count, dim]."""
    return unit_rows(np.random.default_rng(seed).normal(size=(count, dim)))


def random_turn(seed, dim, new_dim=None):
    """A matrix that turns vectors, into more dimensions if need be: [dim, new dim]."""
    square = np.random.default_rng(seed).normal(size=(new_dim or dim, new_dim or dim))
    return np.linalg.qr(square)[0][:dim]


def noisy(vectors, seed, size):
    """The same vectors with noise of so many times their length."""
    return unit_rows(vectors + size * random_units(seed, *vectors.shape))


def name(code, row):
    return f"{code} {row}"


def lexicon_of(columns):
    """A lexicon of one name or none for each thing and language."""
    cells = {code: tuple((text,) if text else () for text in column) for code, column in columns.items()}
    count = len(next(iter(cells.values())))
    return Lexicon("toy", tuple(map(str, range(count))), ("",) * count, cells)


def planted_names(spaces, more=()):
    """Return a model and a lexicon: names such as "de 5", and the vectors that the model gives to them.

    :param spaces: Vectors by language, [n, dim].
    :param more: Vectors of further texts, by text.
    """
    columns = {code: [name(code, row) for row in range(len(space))] for code, space in spaces.items()}
    vectors = dict(more)
    for code, space in spaces.items():
        vectors |= dict(zip(columns[code], space, strict=True))
    return planted_model(vectors), lexicon_of(columns)


def found_slowly(one, other):
    """Return how often each text finds its translation first, and is found by it; equals share the place."""
    values = []
    for row in range(len(one)):
        shares = []
        for asked, texts in ((one[row], other), (other[row], one)):
            scores = [float(asked @ text) for text in texts]
            best = [place for place, score in enumerate(scores) if score > max(scores) - LEVEL]
            shares.append((row in best) / len(best))
        values.append(sum(shares) / 2)
    return np.array(values)


def orders_of(fitted, draws, seed=42):
    """Return the orders in which pairs are drawn, one for each draw."""
    return [np.random.default_rng([seed, draw]).permutation(fitted) for draw in range(draws)]
