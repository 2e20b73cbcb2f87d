import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from sentence_transformers import SentenceTransformer

from xlutils.errors import XlError
from xlutils.metrics.geometry import unit_rows
from xlutils.metrics.maps import fit_map, identity
from xlutils.training.language_maps import LanguageMaps, load_language_maps
from xlutils.training.trainable import as_encoder

TEXTS = ["the sea", "das meer", "la mer", "der mond"]


def some_map(seed, dim=16, new_dim=16):
    rng = np.random.default_rng(seed)
    source, target = (unit_rows(rng.standard_normal((20, size))) for size in (dim, new_dim))
    return fit_map(source, target, "ridge")


@pytest.fixture
def encoder(tiny_model):
    return as_encoder(tiny_model, "tiny")


@pytest.fixture
def maps(encoder):
    return LanguageMaps("tiny", encoder.fingerprint, {"de": some_map(1), "fr": some_map(2)}, pivot="en")


def files(folder):
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def changed(before, after):
    return {name for name in before | after if before.get(name) != after.get(name)}


def test_texts_are_mapped_by_their_language(maps, encoder):
    vectors = encoder.encode(TEXTS)
    expected = np.array([maps.apply(vectors[[row]], code)[0] for row, code in enumerate(("en", "de", "fr", "de"))])
    assert np.array_equal(expected[0], vectors[0])
    assert np.abs(expected[1:] - vectors[1:]).max(axis=1).min() > 0.01
    assert maps.encode(encoder, TEXTS, ["en", "de", "fr", "de"]) == pytest.approx(expected, abs=1e-6)

    def detect(text):
        return {"the": "en", "la": "fr"}.get(text.split()[0], "de")

    assert maps.encode(encoder, TEXTS, detect) == pytest.approx(expected, abs=1e-6)
    german = maps.encode(encoder, TEXTS, "de")
    assert german == pytest.approx(maps.maps["de"].apply(vectors), abs=1e-6)
    assert german.dtype == np.float32
    assert np.array_equal(maps.encode(encoder, TEXTS, "en"), vectors)


def test_the_role_of_texts_reaches_the_model(maps, encoder):
    asked = maps.encode(encoder, TEXTS, "de", role="query")
    assert asked == pytest.approx(maps.apply(encoder.encode(TEXTS, "query"), "de"), abs=1e-6)
    assert np.abs(asked - maps.encode(encoder, TEXTS, "de")).max() > 1e-4


def test_maps_may_lead_into_the_space_of_another_model(encoder):
    maps = LanguageMaps("tiny", encoder.fingerprint, {"de": some_map(1, new_dim=9), "fr": some_map(2, new_dim=9)})
    made = maps.encode(encoder, TEXTS[1:], ["de", "fr", "de"])
    assert made.shape == (3, 9)
    assert np.linalg.norm(made, axis=1) == pytest.approx(np.ones(3), abs=1e-6)


def test_one_more_language_leaves_the_files_of_the_others_as_they_are(maps, tmp_path):
    maps.save(tmp_path / "maps")
    before = files(tmp_path / "maps")
    assert set(before) == {"maps.json", "README.md", "de/map.safetensors", "fr/map.safetensors"}
    more = load_language_maps(tmp_path / "maps").with_map("to", some_map(3))
    more.save(tmp_path / "maps")
    assert changed(before, files(tmp_path / "maps")) == {"maps.json", "README.md", "to/map.safetensors"}


def test_another_map_of_a_language_changes_the_file_of_that_language_alone(maps, tmp_path):
    maps.save(tmp_path)
    before = files(tmp_path)
    maps.with_map("fr", replace(some_map(3), strength=maps.maps["fr"].strength)).save(tmp_path)
    assert changed(before, files(tmp_path)) == {"fr/map.safetensors"}
    maps.save(tmp_path)
    assert files(tmp_path) == before


def test_maps_are_read_as_they_were_saved(maps, tmp_path):
    maps.save(tmp_path)
    read = load_language_maps(tmp_path)
    assert (read.model, read.fingerprint, read.pivot) == (maps.model, maps.fingerprint, "en")
    assert set(read.maps) == {"de", "fr"}
    vectors = unit_rows(np.random.default_rng(0).standard_normal((5, 16)))
    for code in read.maps:
        assert np.array_equal(read.apply(vectors, code), maps.apply(vectors, code))


def test_the_card_lists_the_maps_by_the_names_of_their_languages(maps, tmp_path):
    maps.save(tmp_path)
    card = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert card.startswith("# Maps of tiny onto English\n")
    assert f"| German | ridge | {maps.maps['de'].strength:g} | 20 |\n| French | ridge |" in card
    replace(maps, pivot="").save(tmp_path)
    assert "into their common core" in (tmp_path / "README.md").read_text(encoding="utf-8")


def test_maps_of_no_language_yet_are_saved_too(tmp_path):
    LanguageMaps("tiny", "abc", {}, pivot="en").save(tmp_path / "new/maps")
    assert load_language_maps(tmp_path / "new/maps").maps == {}


def refused(action, *arguments):
    """Return the message, which must be one line."""
    with pytest.raises(XlError) as caught:
        action(*arguments)
    message = str(caught.value)
    assert "\n" not in message
    return message


def test_maps_of_another_model_are_refused(maps, encoder):
    message = refused(replace(maps, fingerprint="0" * 16).encode, encoder, TEXTS, "de")
    assert message == (
        f"the maps were fitted on tiny (0000000000000000), and these are vectors of tiny ({encoder.fingerprint}); "
        "fit them again"
    )


def test_a_language_without_a_map_is_refused(maps, encoder):
    known = "the set of maps of tiny has no language es; it has en, de, fr"
    assert refused(maps.encode, encoder, TEXTS, "es") == known
    assert refused(maps.encode, encoder, TEXTS, ["de", "es", "de", "de"]) == known
    assert refused(maps.encode, encoder, TEXTS, lambda text: "es") == known
    assert refused(maps.apply, np.eye(16), "es") == known
    assert refused(replace(maps, pivot="").apply, np.eye(16), "en").endswith("no language en; it has de, fr")
    assert refused(maps.apply, np.eye(16), "de-AT").endswith("no language de-AT; nearest: de")


@pytest.mark.parametrize("count", [3, 5])
def test_another_number_of_languages_than_texts_is_refused(maps, encoder, count):
    message = refused(maps.encode, encoder, TEXTS, ["de"] * count)
    assert message == f"4 texts and {count} languages; name one language for each text"


def test_maps_of_different_dimensions_are_refused(maps):
    message = refused(maps.with_map, "ru", identity(8))
    assert message.startswith("maps of tiny have different dimensions: {'de': (16, 16), 'fr': (16, 16), 'ru': (8, 8)}")
    assert "different dimensions" in refused(LanguageMaps, "tiny", "abc", {"de": some_map(1, 16, 9)}, "en")


def test_a_map_of_the_pivot_is_refused(maps):
    assert refused(maps.with_map, "en", some_map(3)) == "vectors of the pivot en stay as they are; leave out its map"


def test_vectors_of_other_dimensions_are_refused(maps):
    message = refused(maps.apply, np.eye(8), "de")
    assert (
        message == "de: the map takes vectors of 16 dimensions, not 8; use the maps of the model that made the vectors"
    )


def test_a_folder_without_maps_is_refused(tmp_path):
    message = refused(load_language_maps, tmp_path)
    assert message == f"{tmp_path}: no maps.json; give a folder that LanguageMaps.save has written"


ELSEWHERE = """
import sys
import numpy as np
from sentence_transformers import SentenceTransformer
model = SentenceTransformer(sys.argv[1], device="cpu")
texts = sys.argv[3:]
vectors = {f"task {task}": model.encode(texts, task=task) for task in ("de", "to", "en")}
np.savez(sys.argv[2], plain=model.encode(texts), query=model.encode_query(texts),
    document=model.encode_document(texts), **vectors)
assert not [name for name in sys.modules if name.startswith("xlutils")]
"""


@pytest.mark.slow
def test_an_exported_model_maps_without_this_package(trainable, tmp_path):
    """The model does not scale its vectors, so that the export has to; "to", Tongan, is a name that torch reserves."""
    model = SentenceTransformer(str(trainable), device="cpu")
    model.pop(-1)
    model.save_pretrained(str(tmp_path / "model"), create_model_card=False)
    maps = LanguageMaps("tiny", "abc", {"de": some_map(1), "to": some_map(2)}, pivot="en")
    maps.export(tmp_path / "model", tmp_path / "mapped")
    command = [sys.executable, "-c", ELSEWHERE, str(tmp_path / "mapped"), str(tmp_path / "vectors.npz"), *TEXTS]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    result = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path, env=environment)
    assert result.returncode == 0, result.stderr[-2000:]
    elsewhere = np.load(tmp_path / "vectors.npz")
    vectors = model.encode(TEXTS)
    assert np.abs(np.linalg.norm(vectors, axis=1) - 1).max() > 0.01
    for code in ("de", "to"):
        assert elsewhere[f"task {code}"] == pytest.approx(maps.apply(unit_rows(vectors), code), abs=1e-5)
    for name in ("plain", "document", "task en"):
        assert elsewhere[name] == pytest.approx(unit_rows(vectors), abs=1e-5)
    assert elsewhere["query"] == pytest.approx(unit_rows(model.encode_query(TEXTS)), abs=1e-5)


def test_an_exported_model_is_made_of_the_parts_of_the_library_and_holds_no_pickle(trainable, tmp_path):
    LanguageMaps("tiny", "abc", {"de": some_map(1)}).export(trainable, tmp_path)
    assert {path.suffix for path in tmp_path.rglob("*") if path.is_file()} == {".json", ".safetensors"}
    types = [module["type"] for module in json.loads((tmp_path / "modules.json").read_text(encoding="utf-8"))]
    assert all(name.startswith("sentence_transformers.") for name in types)
    assert types[-1].endswith(".Router")


def test_an_exported_model_knows_no_language_that_has_no_map(trainable, tmp_path):
    LanguageMaps("tiny", "abc", {"de": some_map(1)}).export(trainable, tmp_path)
    with pytest.raises(ValueError, match="No route found for task type 'fr'"):
        SentenceTransformer(str(tmp_path), device="cpu").encode(TEXTS, task="fr")


def test_maps_of_other_dimensions_are_not_exported(trainable, tmp_path):
    message = refused(LanguageMaps("tiny", "abc", {"de": identity(8)}).export, trainable, tmp_path)
    assert message == (
        f"{trainable} makes vectors of 16 dimensions, and the maps take 8; export the model that they were fitted on"
    )


def test_a_free_map_on_fewer_pairs_than_dimensions_is_refused(encoder):
    vectors = encoder.encode(["a", "b", "c", "d", "e", "f"])
    free, shrunk = (fit_map(vectors, vectors[::-1], method) for method in ("procrustes", "ridge-shrunk"))
    reason = r"^de: procrustes of \d+ dimensions on 6 pairs, which destroys .*; use ridge-shrunk, or more pairs than"
    with pytest.raises(XlError, match=reason):
        LanguageMaps("tiny", encoder.fingerprint, {"de": free})
    assert LanguageMaps("tiny", encoder.fingerprint, {"de": shrunk}).maps["de"] is shrunk
