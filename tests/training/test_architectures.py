"""Every architecture of the catalogue: encode, train, save, load, encode."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from sentence_transformers import SentenceTransformer
from test_finetune import SMALL, TRIPLES
from tiny import ARCHITECTURES, make_tiny_model

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.adapters import TASKS, save_model, tasks_of
from xlutils.training.finetune import finetune
from xlutils.training.losses import AlignmentLoss
from xlutils.training.recipe import Recipe
from xlutils.training.trainable import as_encoder, load_trainable

pytestmark = pytest.mark.slow
TEXTS = ["the sea", "a boat and a tide", "what is the moon at the harbour", "wind"]
ROLES = ("query", "passage", "word")
COLUMNS = ("query_en", "passage_en", "passage_tgt")


@pytest.fixture(scope="module", params=ARCHITECTURES)
def folder(request, tmp_path_factory):
    """A model in the format of the hub."""
    folder = tmp_path_factory.mktemp("hub") / request.param.replace(" ", "-")
    folder.mkdir()
    make_tiny_model(folder, architecture=request.param).save_pretrained(str(folder), create_model_card=False)
    return folder


def vectors(encoder):
    return {role: encoder.encode(TEXTS, role) for role in ROLES}


def test_before_after_and_from_disk_are_the_same_model(folder, tmp_path):
    before = vectors(load_model(str(folder), cached=False))
    model = load_trainable(str(folder), "cpu")
    for role, expected in vectors(as_encoder(model, "same")).items():
        assert expected == pytest.approx(before[role], abs=1e-6), role
    assert np.abs(before["query"] - before["passage"]).max() > 1e-4
    recipe = replace(SMALL, losses=("jsd", "nce", "keep"), keep_weight=0.1, dropout=None)
    finetune(model, TRIPLES, recipe, tmp_path / "checkpoints")
    after = vectors(as_encoder(model, "trained"))
    assert all(np.abs(after[role] - before[role]).max() > 1e-4 for role in ("query", "passage"))
    save_model(model, tmp_path / "saved")
    assert all(
        not np.abs(values - after[role]).max() > 1e-6 for role, values in vectors(as_encoder(model, "x")).items()
    )
    for role, values in vectors(load_model(str(tmp_path / "saved"), cached=False)).items():
        assert values == pytest.approx(after[role], abs=1e-6), role


def test_pieces_change_no_gradient(folder):
    model = load_trainable(str(folder), "cpu")
    tasks = [tasks_of(model).get(role) for role in ("query", "passage", "passage")]
    gradients = []
    for tokens in (None, 24):
        model.zero_grad()
        loss = AlignmentLoss(model, Recipe(temperature=0.1), tokens, tasks=tasks)
        columns = [model.preprocess([getattr(row, name) for row in TRIPLES]) for name in COLUMNS]
        torch.stack(list(loss(columns).values())).sum().backward()
        gradients.append({name: one.grad for name, one in model.named_parameters() if one.grad is not None})
    torch.testing.assert_close(*gradients, rtol=1e-3, atol=1e-4)
    moved = [name for name, gradient in gradients[0].items() if gradient.abs().max() > 1e-3]
    assert all(any(task in name for name in moved) for task in tasks if task)
    assert not any(TASKS["word"] in name for name in moved)


@pytest.fixture
def jina(tmp_path):
    folder = tmp_path / "jina"
    folder.mkdir()
    make_tiny_model(folder, architecture="jina_embeddings_v3").save_pretrained(str(folder), create_model_card=False)
    return folder


def test_each_role_has_its_adapter_and_training_moves_those_of_questions_and_passages(jina, tmp_path):
    encoder = load_model(str(jina), cached=False)
    assert encoder.tasks == TASKS
    assert encoder.space("word")["task"] == "text_matching"
    encoder.prompts.clear()  # what differs now are the adapters
    one, two, three = vectors(encoder).values()
    assert min(np.abs(one - two).max(), np.abs(two - three).max()) > 1e-3
    model = load_trainable(str(jina), "cpu")
    start = {name: weight.clone() for name, weight in model.state_dict().items()}
    finetune(model, TRIPLES, SMALL, tmp_path / "checkpoints", save_every=1)
    moved = {name for name, weight in model.state_dict().items() if not torch.equal(weight, start[name])}
    assert any("retrieval_query" in name for name in moved)
    assert any("retrieval_passage" in name for name in moved)
    assert any("base_layer" in name for name in moved)
    assert not any("text_matching" in name for name in moved)
    assert all(parameter.requires_grad for parameter in model.parameters())


def test_dropout_is_the_models_own_or_that_of_the_recipe(jina, tmp_path):
    """With dropout, other seeds give other losses at the first step of the same batch."""
    losses = {}
    for dropout in (None, 0.0):
        for seed in (1, 2):
            whole = replace(SMALL, batch_size=len(TRIPLES), warmup=0.0, seed=seed, dropout=dropout)
            steps = finetune(load_trainable(str(jina), "cpu"), TRIPLES, whole, tmp_path / f"{dropout}-{seed}")
            losses.setdefault(dropout, []).append(steps["loss"].iloc[0])
    assert losses[0.0][0] == pytest.approx(losses[0.0][1], abs=1e-4)
    assert losses[None][0] != pytest.approx(losses[None][1], abs=1e-3)


def test_a_folder_that_lacks_an_adapter_is_refused(jina, tmp_path):
    shutil.rmtree(jina / "retrieval_query")
    with pytest.raises(XlError, match="jina lacks the adapter retrieval_query; copy the whole folder"):
        load_model(str(jina))
    for task in TASKS.values():
        shutil.rmtree(jina / task, ignore_errors=True)
    assert load_model(str(jina)).tasks == {}


def test_adapters_exclude_another_one(jina, tmp_path):
    with pytest.raises(XlError, match="cannot get another one; train it with lora_rank=0"):
        finetune(load_trainable(str(jina), "cpu"), TRIPLES, replace(SMALL, lora_rank=2), tmp_path / "c")


def test_plain_sentence_transformers_reads_a_saved_model(folder, tmp_path):
    model = load_trainable(str(folder), "cpu")
    save_model(model, tmp_path / "saved")
    plain = SentenceTransformer(str(tmp_path / "saved"), device="cpu")
    if task := tasks_of(model).get("query"):
        plain.load_adapter(str(tmp_path / "saved" / task), adapter_name=task)
    found = plain.encode(TEXTS, prompt=plain.prompts["query"], normalize_embeddings=True)
    assert found == pytest.approx(as_encoder(model, "x").encode(TEXTS, "query"), abs=1e-6)
