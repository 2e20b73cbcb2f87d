from dataclasses import replace

import pytest

from xlutils.errors import XlError
from xlutils.training.recipe import RECIPES, label_of, learning_rate, read_recipe

E5 = "intfloat/multilingual-e5-base"


def test_the_recipe_of_the_paper_has_its_printed_settings():
    paper = RECIPES["paper"]
    assert (paper.losses, paper.temperature, paper.jsd_weight) == (("jsd", "nce"), 1, 1)
    assert (paper.epochs, paper.batch_size, paper.warmup, paper.schedule) == (1, 32, 0.15, "linear")
    assert (paper.beta1, paper.beta2, paper.weight_decay, paper.seed) == (0.9, 0.99, 0.01, 42)
    assert (paper.epsilon_outside, paper.frozen_embeddings, paper.mixed) == (True, False, False)
    assert (paper.dropout, paper.max_length, paper.learning_rate, paper.bf16) == (None, None, None, None)


def test_the_published_learning_rates_are_known():
    assert learning_rate("intfloat/multilingual-e5-large") == 2e-5
    assert learning_rate("BAAI/bge-m3") == 4e-6
    assert learning_rate("alibaba-nlp-community/gte-multilingual-base") == 1e-5
    assert learning_rate("jinaai/jina-embeddings-v3-hf") == 3e-5
    assert learning_rate("unknown/model") == 2e-5


def test_settings_follow_the_name_of_a_recipe():
    text = "paper, dropout=0, mixed=true, losses=nce+keep, max_length=none, learning_rate=1e-5, normalised=no"
    changes = {"dropout": 0.0, "mixed": True, "losses": ("nce", "keep"), "learning_rate": 1e-5}
    assert read_recipe(text) == replace(RECIPES["paper"], **changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("papr", "unknown recipe 'papr'; did you mean paper"),
        ("paper,dropot=0", "unknown setting of a recipe 'dropot'; did you mean dropout"),
        ("paper,dropout", "recipe: 'dropout' is not a setting; write it like dropout=0"),
        ("paper,dropout=1", "recipe: dropout"),
        ("paper,dropout=0,dropout=0.1", "recipe: dropout is given twice"),
        ("quick,bf16=perhaps", "recipe: bf16"),
        ("quick,schedule=steep", "recipe: schedule"),
        ("quick,losses=jsd+jds", "unknown loss 'jds'; did you mean jsd"),
        ("paper,only_biases=true,lora_rank=4", "recipe: only_biases and lora_rank exclude each other"),
        ("paper,last_layers=2,lora_rank=4", "recipe: last_layers and lora_rank exclude each other"),
    ],
)
def test_what_is_no_recipe_is_refused_in_one_line(text, message):
    with pytest.raises(XlError, match=message) as caught:
        read_recipe(text)
    assert "\n" not in str(caught.value)


def test_a_training_is_named_after_losses_languages_seed_and_what_differs_from_a_recipe():
    paper = RECIPES["paper"]
    assert label_of(paper, ["de"], E5) == "jsd+nce.de.seed-42"
    assert label_of(replace(paper, learning_rate=2e-5), ["de"], E5) == "jsd+nce.de.seed-42"  # the published one
    assert label_of(RECIPES["quick"], ["zh", "es"], E5) == "jsd+nce+keep.zh-es.seed-42"
    changed = replace(paper, seed=7, dropout=0.0, learning_rate=1e-3)
    assert label_of(changed, ["de"], E5) == "jsd+nce.de.seed-7.learning_rate-0.001.dropout-0.0"
    assert label_of(paper, [f"l{number}" for number in range(40)], E5) == "jsd+nce.40-languages.seed-42"
