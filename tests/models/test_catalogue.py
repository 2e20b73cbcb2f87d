import re

import pytest

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.catalogue import BUNDLED, CATALOGUE, ROLES, check_name, find_card

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
    assert ("/" in card.source) == (card.backend == "sentence-transformers")
    if "multilingual-e5" in card.name:
        assert (card.prompts["query"], card.prompts["passage"]) == ("query: ", "passage: ")
        assert "SQuAD" in card.trained_on


def test_what_a_model_learned_is_yes_no_or_not_known():
    use, e5, other = (CATALOGUE[name] for name in (*BUNDLED, "LaBSE"))
    assert [use.learned(code) for code in ("en", "tr", "hi")] == [True, True, False]
    assert [e5.learned(code) for code in ("hi", "th", "yo")] == [True, True, False]
    assert other.learned("en") is None
    assert len(use.language_codes) == int(use.languages.split(":")[0])


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
