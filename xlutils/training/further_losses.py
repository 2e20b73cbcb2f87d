"""Losses that Hong et al. do not use, computed from embeddings: a triplet loss, and mixup across languages."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, normalize


def triplet(anchors: Tensor, candidates: Tensor, margin: float, same: Tensor | None = None) -> Tensor:
    """Return by how much the hardest wrong candidate comes within a margin of the gold one, by cosine; float32.

    The mean over anchors i of max(0, margin - cos(i, gold) + max over wrong j of cos(i, j)); 0 without a wrong one.

    :param candidates: [n, dim]; row i is the gold candidate of anchor i.
    :param same: As for `info_nce`.
    """
    with torch.autocast(anchors.device.type, enabled=False):
        scores = normalize(anchors.float(), dim=1) @ normalize(candidates.float(), dim=1).T
        wrong = ~(torch.eye(len(scores), dtype=torch.bool, device=scores.device) if same is None else same)
        hardest = scores.masked_fill(~wrong.fill_diagonal_(False), -torch.inf).max(dim=1).values
        return (margin - scores.diagonal() + hardest).clamp_min(0).mean()


def mixup(
    anchors: Tensor,
    candidates: Tensor,
    partners: Tensor,
    share: float,
    temperature: float,
    same: Tensor | None = None,
) -> Tensor:
    """Return the mean cross-entropy of finding both gold candidates of a mixture of two anchors, float32.

    Anchor i, of unit length, is mixed with that of row p = partners[i]: share * i + (1 - share) * p. The mixture has
    two right candidates, i with the weight share and p with the rest; cosines are divided by the temperature.

    :param partners: Row that each anchor is mixed with, int [n].
    :param share: From 0 to 1, the same for the batch.
    :param same: As for `info_nce`; what is right for either anchor is not a negative.
    """
    with torch.autocast(anchors.device.type, enabled=False):
        units = normalize(anchors.float(), dim=1)
        mixed = share * units + (1 - share) * units[partners]
        scores = normalize(mixed, dim=1) @ normalize(candidates.float(), dim=1).T / temperature
        rows = torch.arange(len(scores), device=scores.device)
        if same is not None:
            right = (same | same[partners]).scatter(1, torch.stack([rows, partners], dim=1), value=False)
            scores = scores.masked_fill(right, -torch.inf)
        return share * cross_entropy(scores, rows) + (1 - share) * cross_entropy(scores, partners)


def other_languages(language_of: Tensor) -> Tensor:
    """Return for each row the next one, around the batch, in another language; simply the next one if there is none.

    :param language_of: Number of each row's language, int [n].
    """
    numbers = language_of.tolist()
    count = len(numbers)
    partners = []
    for row, own in enumerate(numbers):
        others = [(row + step) % count for step in range(1, count)]
        partners.append(next((place for place in others if numbers[place] != own), others[0] if others else row))
    return torch.tensor(partners, device=language_of.device)
