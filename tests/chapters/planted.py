"""A model whose vectors are planted."""

import numpy as np

from xlutils.models.encoder import Encoder


class Planted:
    """Gives every text the vector that was planted for it."""

    def __init__(self, vectors):
        self.vectors, self.dim = vectors, len(next(iter(vectors.values())))

    def embed(self, texts, prompt, task):
        yield list(range(len(texts))), np.stack([self.vectors[text] for text in texts])

    def read(self, texts, prompt):
        return None


def planted_model(vectors):
    return Encoder("planted", "test", "1", Planted(vectors), cached=False)
