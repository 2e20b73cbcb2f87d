"""Students of a tiny teacher: a table of token vectors, and fewer layers."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny import make_tiny_model

from xlutils.datasets.sentences import Sentences
from xlutils.datasets.triples import Triple
from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.adapters import save_model
from xlutils.training.finetune import finetune
from xlutils.training.losses import AlignmentLoss, distillation, embed
from xlutils.training.recipe import Recipe
from xlutils.training.students import (
    DISTIL,
    drop_layers,
    sentence_triples,
    static_student,
    token_counts,
    token_vectors,
    train_student,
)
from xlutils.training.trainable import raw_vectors

WORDS = ("tide", "moon", "harbour", "boat")
TRIPLES = [
    Triple(f"what is {a} {b}", f"{a} and {b} are at the sea", f"{a[::-1]} und {b[::-1]} am meer", "de")
    for a in WORDS
    for b in WORDS[:3]
]
SMALL = replace(DISTIL, batch_size=4, learning_rate=1e-2, bf16=False, epochs=20)


def test_a_token_is_encoded_between_the_marks_of_a_text(tiny_model):
    vocabulary = tiny_model.tokenizer.get_vocab()
    tokens = ["▁the", "s", "▁sea"]
    found = token_vectors(tiny_model, [vocabulary[token] for token in tokens], batch=2)
    assert found[[0, 2]] == pytest.approx(tiny_model.encode(["the", "sea"], prompt=""), abs=1e-6)
    assert found.shape == (3, 16)


def test_a_static_student_is_the_weighted_mean_of_its_tokens_and_loads_by_folder(tiny_model, tmp_path):
    counts = token_counts(tiny_model, ["the sea the sea", "a boat"])
    assert counts[tiny_model.tokenizer.get_vocab()["▁sea"]] == 2
    student = static_student(tiny_model, 5, counts)
    table = student[0].embedding.weight.detach().numpy()
    texts = ["the sea", "a boat at sea", "the sea " * 80]
    tiny_model.encode(texts)  # pads and cuts
    ids = tiny_model.tokenizer(texts, add_special_tokens=False)["input_ids"]
    means = np.stack([table[row].mean(axis=0) for row in ids])
    save_model(student, tmp_path / "static")
    encoder = load_model(str(tmp_path / "static"), cached=False)
    for role in ("query", "word"):
        assert encoder.encode(texts, role) == pytest.approx(
            means / np.linalg.norm(means, axis=1, keepdims=True), abs=1e-6
        )
    assert (tmp_path / "static/model.safetensors").is_file()


def test_frequent_tokens_weigh_less_in_a_static_student(tiny_model):
    vectors = token_vectors(tiny_model, np.arange(len(tiny_model.tokenizer)))
    sizes = [
        np.linalg.norm(static_student(tiny_model, 16, counts, vectors=vectors)[0].embedding.weight.detach(), axis=1)
        for counts in (None, np.arange(1, len(vectors) + 1))
    ]
    assert (sizes[0] / sizes[1])[0] < (sizes[0] / sizes[1])[-1]
    few = static_student(tiny_model, 16, tokens=[7, 5], vectors=vectors[[7, 5]])[0].embedding.weight.detach()
    assert few.any(dim=1).nonzero().flatten().tolist() == [5, 7]  # all others have no vector
    with pytest.raises(XlError, match="and dim at most as large$"):
        static_student(tiny_model, 17, vectors=vectors)


def test_evenly_spread_layers_stay(tmp_path):
    model = make_tiny_model(tmp_path, layers=5)
    layers = list(model[0].model.encoder.layer)
    assert drop_layers(model, 3) == [0, 2, 4]
    assert all(layer is layers[number] for layer, number in zip(model[0].model.encoder.layer, (0, 2, 4), strict=True))
    assert model[0].model.config.num_hidden_layers == 3
    save_model(model, tmp_path / "student")
    again = load_model(str(tmp_path / "student"), cached=False)
    assert again.encode(["the sea"]) == pytest.approx(model.encode(["passage: the sea"]), abs=1e-6)
    for keep in (1, 4):
        with pytest.raises(XlError, match=f"^cannot keep {keep} of 3 layers; give a transformer and a number from 2"):
            drop_layers(model, keep)


def test_distillation_is_the_mean_squared_distance_and_pulls_to_english(tiny_model):
    vectors, goals = torch.randn(3, 4), torch.randn(3, 4)
    expected = np.mean(
        [
            sum((a - b) ** 2 for a, b in zip(*rows, strict=True))
            for rows in zip(vectors.tolist(), goals.tolist(), strict=True)
        ]
    )
    assert distillation(vectors, goals).item() == pytest.approx(expected, rel=1e-5)
    texts = [["tide", "moon"], ["a tide is the sea", "a moon"], ["die flut", "der mond"]]
    columns = [tiny_model.preprocess(column) for column in texts]
    teacher = copy.deepcopy(tiny_model)
    loss = AlignmentLoss(tiny_model, Recipe(losses=("distil",)), teacher=teacher)
    passages, others = (embed(tiny_model, column, None) for column in columns[1:])
    found = loss(columns)["distil"]
    assert found.item() == pytest.approx(distillation(others, passages).item() / 3, rel=1e-4)  # English is right
    found.backward()
    assert all(weight.grad is None for weight in teacher.parameters())


def test_a_student_learns_as_many_sentences_of_each_language_and_their_beginnings():
    texts = {code: tuple(f"{code} {row} is a long sentence" for row in range(6)) for code in ("de", "en", "sw")}
    data = Sentences("some", tuple("abcdef"), texts, ("",) * 6)
    triples = sentence_triples(data, ["de", "sw"], 4, words=2)
    assert triples.name == "some"
    assert triples.sha256 == sentence_triples(data, ["de", "sw"], 4, words=2).sha256
    rows = triples.rows
    assert [sum(row.lang == code for row in rows) for code in ("de", "sw")] == [4, 4]
    assert len({*rows}) == 8
    assert [row.lang for row in rows] != sorted(row.lang for row in rows)  # shuffled
    for row in rows:
        number = row.passage_en.split()[1]
        assert row == Triple(f"en {number}", texts["en"][int(number)], texts[row.lang][int(number)], row.lang)
    with pytest.raises(XlError, match="^some has 6 sentences; ask for 1 to that many, not 7"):
        sentence_triples(data, ["de"], 7)
    with pytest.raises(XlError, match="^some has no language yo"):
        sentence_triples(data, ["yo"], 2)


@pytest.mark.slow
def test_translations_come_nearer_to_the_teachers_english_and_the_teacher_stays(tiny_model, tmp_path):
    student, modules = copy.deepcopy(tiny_model), len(tiny_model)
    kept = {name: value.clone() for name, value in tiny_model.state_dict().items()}
    english, german = ([getattr(row, name) for row in TRIPLES] for name in ("passage_en", "passage_tgt"))
    goals = raw_vectors(tiny_model, english, "passage")
    far = np.square(raw_vectors(tiny_model, german, "passage") - goals).sum(axis=1).mean()
    steps = train_student(tiny_model, student, TRIPLES, tmp_path, SMALL)
    for texts in (english, german):
        assert np.square(raw_vectors(student, texts, "passage") - goals).sum(axis=1).mean() < 0.3 * far
    assert steps["distil"].iloc[-3:].mean() < 0.5 * steps["distil"].iloc[:3].mean()
    assert len(tiny_model) == modules
    assert all(torch.equal(value, kept[name]) for name, value in tiny_model.state_dict().items())


def test_without_a_teacher_or_with_another_tokenizer_nothing_is_trained(tiny_model, tmp_path):
    with pytest.raises(XlError, match="^losses: distil needs a teacher"):
        finetune(tiny_model, TRIPLES, SMALL, tmp_path / "alone")
    other = make_tiny_model(tmp_path, more_letters="äöü")
    with pytest.raises(XlError, match="^teacher and student must have the same tokenizer"):
        train_student(other, tiny_model, TRIPLES, tmp_path / "two", SMALL)
