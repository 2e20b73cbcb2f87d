"""One small map per language into a common space, kept apart so that a change of one leaves the others as they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xlutils.datasets.languages import language_name, no_language
from xlutils.errors import XlError
from xlutils.metrics.maps import LinearMap, load_map
from xlutils.models.encoder import Encoder

_ABOUT = "maps.json"
_FREE = ("procrustes", "ridge")  # maps that are not drawn towards the identity
Detector = Callable[[str], str]  # names the language of a text


@dataclass(frozen=True)
class LanguageMaps:
    """Maps by language, for the vectors of one model. Vectors of the pivot, if there is one, stay as they are.

    :param model: Name of the model whose vectors they take.
    :param fingerprint: Its fingerprint.
    :param maps: The maps by language.
    :param pivot: Language that all others are mapped onto; empty if they meet in the middle.
    """

    model: str
    fingerprint: str
    maps: Mapping[str, LinearMap]
    pivot: str = ""

    def __post_init__(self) -> None:
        """Check that the maps fit each other, and that no free map was fitted on fewer pairs than dimensions."""
        sizes = {code: one.matrix.shape for code, one in self.maps.items()}
        different = set(sizes.values())
        if len(different) > 1 or (self.pivot and any(size[0] != size[1] for size in different)):
            raise XlError(f"maps of {self.model} have different dimensions: {sizes}; fit them on vectors of one model")
        for code, one in self.maps.items():
            if one.method in _FREE and one.pairs < len(one.matrix):
                raise XlError(
                    f"{code}: {one.method} of {len(one.matrix)} dimensions on {one.pairs} pairs, which destroys what "
                    "the model knew; use ridge-shrunk, or more pairs than dimensions"
                )
        if self.pivot in self.maps:
            raise XlError(f"vectors of the pivot {self.pivot} stay as they are; leave out its map")

    def with_map(self, language: str, new: LinearMap) -> LanguageMaps:
        """Return the same maps with one more language, or another map for a language."""
        return replace(self, maps={**self.maps, language: new})

    def apply(self, vectors: np.ndarray, language: str) -> NDArray[np.float32]:
        """Map the vectors of one language, float [n, dim]."""
        if language == self.pivot:
            return np.asarray(vectors, np.float32)
        if language not in self.maps:
            known = [self.pivot, *self.maps] if self.pivot else [*self.maps]
            raise no_language(f"the set of maps of {self.model}", language, known)
        try:
            return self.maps[language].apply(vectors)
        except ValueError as error:
            raise XlError(f"{language}: {error}; use the maps of the model that made the vectors") from None

    def encode(
        self, encoder: Encoder, texts: Sequence[str], languages: str | Sequence[str] | Detector, role: str = "passage"
    ) -> NDArray[np.float32]:
        """Encode texts and map each by its language: unit vectors, float32 [n, dim], in order.

        :param languages: The language of all texts, one for each of them, or a function that names it.
        :raises XlError: If the maps were fitted on another model, or a language has none.
        """
        if encoder.fingerprint != self.fingerprint:
            raise XlError(
                f"the maps were fitted on {self.model} ({self.fingerprint}), and these are vectors of "
                f"{encoder.name} ({encoder.fingerprint}); fit them again"
            )
        if isinstance(languages, str):
            spoken = [languages] * len(texts)
        else:
            spoken = [languages(text) for text in texts] if callable(languages) else list(languages)
        if len(spoken) != len(texts):
            raise XlError(f"{len(texts)} texts and {len(spoken)} languages; name one language for each text")
        vectors = encoder.encode(texts, role)
        dim = next((one.matrix.shape[1] for one in self.maps.values()), encoder.dim)
        mapped = np.zeros((len(texts), dim), np.float32)
        for language in dict.fromkeys(spoken):
            rows = [row for row, code in enumerate(spoken) if code == language]
            mapped[rows] = self.apply(vectors[rows], language)
        return mapped

    def save(self, folder: str | Path) -> None:
        """Write a folder per language and a card. A language that is there already is replaced."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        for language, one in self.maps.items():
            one.save(Path(folder) / language)
        about = {"model": self.model, "fingerprint": self.fingerprint, "pivot": self.pivot}
        text = json.dumps({**about, "languages": sorted(self.maps)}, indent=2)
        (Path(folder) / _ABOUT).write_text(text + "\n", encoding="utf-8")
        (Path(folder) / "README.md").write_text(self._card(), encoding="utf-8")

    def _card(self) -> str:
        onto = f"onto {language_name(self.pivot)}" if self.pivot else "into their common core"
        rows = [
            f"| {language_name(code)} | {one.method} | {one.strength:g} | {one.pairs} |"
            for code, one in sorted(self.maps.items())
        ]
        head = ["| language | method | drawn towards no change | pairs |", "|---|---|---|---|"]
        return "\n".join([f"# Maps of {self.model} {onto}", "", *head, *rows, ""])

    def export(self, model_folder: str | Path, into: str | Path) -> None:
        """Add the maps to a sentence-transformers model, as a last module made of the library's own parts.

        `SentenceTransformer(into).encode(texts, task="de")` then maps German. Without a task, or with the tasks of
        `encode_query` and `encode_document`, nothing is mapped.

        :param model_folder: Folder or hub id of the model.
        :param into: Folder of the new model.
        """
        import torch
        from sentence_transformers import SentenceTransformer
        from sentence_transformers.base.modules import Dense, Normalize, Router

        model = SentenceTransformer(str(model_folder))
        dim = model.get_embedding_dimension()
        unmapped = Normalize()
        routes: dict[str, list[torch.nn.Module]] = {"query": [unmapped], "document": [unmapped]}
        route_of = {(self.pivot, None): "document"} if self.pivot else {}
        for code, one in self.maps.items():
            if dim not in (None, len(one.matrix)):
                raise XlError(
                    f"{model_folder} makes vectors of {dim} dimensions, and the maps take {len(one.matrix)}; "
                    "export the model that they were fitted on"
                )
            weights = {"init_weight": torch.from_numpy(one.matrix.T.copy()), "init_bias": torch.from_numpy(one.offset)}
            route = f"map-{code}"  # torch would refuse some codes by themselves, such as "to"
            routes[route] = [Dense(*one.matrix.shape, activation_function=None, **weights), Normalize()]
            route_of[code, None] = route
        model.append(Normalize())  # the maps take vectors of unit length
        model.append(Router(routes, default_route="document", route_mappings=route_of))
        model.save_pretrained(str(into), create_model_card=False)


def load_language_maps(folder: str | Path) -> LanguageMaps:
    """Read maps that were saved into a folder."""
    path = Path(folder) / _ABOUT
    if not path.is_file():
        raise XlError(f"{folder}: no {_ABOUT}; give a folder that LanguageMaps.save has written")
    about = json.loads(path.read_text(encoding="utf-8"))
    try:
        maps = {language: load_map(Path(folder) / language) for language in about.pop("languages")}
    except OSError as error:
        raise XlError(f"{error}; copy the folder again") from None
    return LanguageMaps(maps=maps, **about)
