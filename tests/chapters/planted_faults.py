"""Planted models for the gate: a good one that knows the canaries, and copies of it with one fault each."""

import zlib

import numpy as np

from xlutils.models.encoder import Encoder

DIM = 48


def direction(*key):
    """A random vector that depends on the key and nothing else."""
    return np.random.default_rng(zlib.crc32(repr(key).encode())).standard_normal(DIM)


def knowledge(canaries, seed, noise=0.7):
    """Vectors of all texts: their meaning, which things of a group and opposites share in part, and noise."""
    vectors = {}
    for row, (key, kind, group) in enumerate(zip(canaries.ids, canaries.kinds, canaries.groups, strict=True)):
        shared = group or (key[:-1] if kind == "opposite" else key)
        meaning = direction("shared", shared) + direction("own", key)
        for code in canaries.languages:
            text = canaries.documents[code][row]
            if text:
                vectors[code, text] = meaning + 0.3 * direction(code) + noise * direction(seed, code, text)
    return vectors


class PlantedModel:
    """Gives each text its vector, after a change that may depend on its role and language."""

    dim = DIM

    def __init__(self, vectors, change):
        self.vectors = {text: (code, vector) for (code, text), vector in reversed(vectors.items())}
        self.change = change

    def embed(self, texts, prompt, task):
        found = [self.vectors[text] for text in texts]
        changed = [self.change(prompt, code, text, v) for text, (code, v) in zip(texts, found, strict=True)]
        yield list(range(len(texts))), np.stack(changed)


def planted(vectors, change=lambda role, code, text, vector: vector, name="planted"):
    prompts = {"query": "query", "passage": "passage"}
    return Encoder(name, "test", "1", PlantedModel(vectors, change), prompts=prompts, cached=False)


def changed_prefix(role, code, text, vector):
    """Queries move together, and each a little by itself."""
    return vector + 3 * direction("prefix") + 1.5 * direction("prefix", text) if role == "query" else vector


def other_pooling(role, code, text, vector):
    """What is left of the meaning is weak."""
    return 0.3 * vector + direction("pooled", code) + direction("pooled", code, text)


ROTATION = np.linalg.qr(np.random.default_rng(7).standard_normal((DIM, DIM)))[0]


def blurred(role, code, text, vector):
    """Queries say a little less."""
    return vector + 1.4 * direction("blurred", text) if role == "query" else vector


def half_updated_index(role, code, text, vector):
    """Half of the documents were encoded by another model."""
    is_old = role == "passage" and zlib.crc32(text.encode()) % 2
    return ROTATION @ vector if is_old else vector


def loss_in(lost):
    def change(role, code, text, vector):
        return vector + 3 * direction("lost", role, text) if code == lost else vector

    return change
