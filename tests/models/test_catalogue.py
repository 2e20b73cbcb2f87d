import re
from pathlib import Path
from typing import get_args

import pytest

from xlutils.errors import XlError
from xlutils.models import catalogue, load_model
from xlutils.models.catalogue import (
    BUNDLED,
    CATALOGUE,
    ROLES,
    Objective,
    check_name,
    find_card,
    is_baseline,
    is_control,
)

AFFINITY_BENCHMARK = {
    *("LaBSE", "USE", "S-BERT", "E5-Large", "Qwen3-0.6B", "Qwen3-4B", "Qwen3-8B", "Gemini-001"),
    *("OpenAI-ada-002", "OpenAI-3-small", "OpenAI-3-large", "mBERT", "XLM-R"),
}
RETRIEVAL_PAPER = {"multilingual-e5-base", "gte-multilingual-base", "jina-embeddings-v3", "bge-m3"}


def test_the_models_of_the_book_are_in_the_catalogue():
    for name in {*AFFINITY_BENCHMARK, *RETRIEVAL_PAPER, "MiniLM-L12-v2", *BUNDLED}:
        assert CATALOGUE[name].trained_on, name


@pytest.mark.parametrize("card", CATALOGUE.values(), ids=lambda card: card.name)
def test_a_row_makes_sense(card):
    assert re.fullmatch(r"[\w.-]+", card.name)  # it names a folder of records
    assert card.dim > 0
    assert card.revision is None or re.fullmatch(r"[0-9a-f]{40}", card.revision)
    assert set(card.prompts) | set(card.tasks) <= set(ROLES)
    assert card.licence != "unknown"
    assert card.objective in get_args(Objective)
    assert (card.objective == "unknown") == card.name.startswith("OpenAI")  # not published
    assert is_control(card.name) == card.name.startswith("control-")
    assert is_baseline(card.name) == (is_control(card.name) or card.languages == "1: en")
    assert ("/" in card.source) == (card.backend == "sentence-transformers")
    if "multilingual-e5" in card.name:
        assert (card.prompts["query"], card.prompts["passage"]) == ("query: ", "passage: ")
        assert "SQuAD" in card.trained_on


def test_what_a_model_learned_is_yes_no_or_not_known():
    use, e5, other = (CATALOGUE[name] for name in (*BUNDLED, "LaBSE"))
    assert [use.learned(code) for code in ("en", "tr", "hi")] == [True, True, False]
    assert [e5.learned(code) for code in ("hi", "th", "yo")] == [True, True, False]
    assert other.learned("en") is None
    assert [use.learned(code) for code in ("zh-Hant", "de-1901", "sr-Latn", "xx")] == [True, True, False, False]
    assert [e5.learned(code) for code in ("zh-Hant", "sr-Latn", "nb")] == [None, None, True]  # not said of the script
    assert len(use.language_codes) == int(use.languages.split(":")[0])


def test_every_objective_has_its_source_beside_it():
    lines = Path(catalogue.__file__).with_suffix(".toml").read_text(encoding="utf-8").splitlines()
    stated = [line for line in lines if line.startswith("objective") and '"none"' not in line]
    assert len(stated) > 15
    assert all("  # arXiv:" in line for line in stated)


def test_the_number_of_languages_is_read_from_the_text():
    counts = [CATALOGUE[name].language_count for name in ("LaBSE", "USE", "use-multilingual-v3", "control-random")]
    assert counts == [109, 50, 16, None]


@pytest.mark.parametrize("name", ["LaBSE", "labse", "sentence-transformers/LaBSE"])
def test_a_model_is_found_by_name_or_source_in_any_case(name):
    assert find_card(name).name == "LaBSE"


def test_an_unknown_name_names_the_nearest():
    with pytest.raises(XlError, match="did you mean LaBSE"):
        check_name("LaBES")
    check_name("somebody/some-model")  # may be on the hub


def test_no_model_of_the_catalogue_runs_code_of_its_own(monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    for name in ("jina-embeddings-v3", "jinaai/jina-embeddings-v3", "Alibaba-NLP/gte-multilingual-base"):
        with pytest.raises(XlError, match=rf"cannot get model {find_card(name).source}: check the name"):
            load_model(name)
