import copy
import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close
from transformers import TrainerCallback

from xlutils.datasets.triples import Triple
from xlutils.errors import XlError
from xlutils.training.finetune import finetune, steps_to_english, trained_share, training_table
from xlutils.training.recipe import Recipe
from xlutils.training.trainable import load_trainable, raw_vectors

pytestmark = pytest.mark.slow

WORDS = ("tide", "moon", "harbour", "boat")
TRIPLES = [
    Triple(f"what is {a} {b}", f"{a} and {b} are at the sea", f"{a[::-1]} und {b[::-1]} am meer", "de")
    for a in WORDS
    for b in WORDS[:3]
]
SMALL = Recipe(
    batch_size=4, learning_rate=1e-3, micro_tokens=0, temperature=0.1, bf16=False, dropout=0.0
)  # three steps
LONGER = replace(SMALL, losses=("jsd", "nce", "keep"), epochs=2, dropout=0.1)  # six steps


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def changed(model, before):
    return {name for name, value in model.state_dict().items() if not torch.equal(value, before[name])}


def test_rows_that_share_a_question_or_a_passage_get_one_label():
    rows = [
        Triple("q1", "p1", "a", "de"),
        Triple("q2", "p1", "b", "de"),
        Triple("q2", "p2", "c", "fr"),
        Triple("q3", "p3", "d", "de"),
        Triple("p3", "q3", "e", "de"),  # question and passage of the row above, swapped
    ]
    labels, languages = zip(*training_table(rows)["label"], strict=True)
    assert labels[0] == labels[1] == labels[2]
    assert len(set(labels)) == 3
    assert languages == (0, 0, 1, 0, 0)


def test_the_step_to_english_is_the_mean_of_the_differences(tiny_model):
    texts = ("the sea", "das meer", "de"), ("a boat", "un bateau", "fr"), ("the wind", "der wind", "de")
    rows = [Triple("q", *row) for row in texts]
    german, french = steps_to_english(tiny_model, rows)
    sea, meer, wind, der = raw_vectors(tiny_model, ["the sea", "das meer", "the wind", "der wind"], "passage")
    assert german == pytest.approx((sea - meer + wind - der) / 2, abs=1e-6)
    assert french.shape == german.shape


def test_a_model_trained_in_bfloat16_answers_in_float32_as_it_does_from_disk(tiny_model, tmp_path):
    finetune(tiny_model, TRIPLES, replace(SMALL, bf16=True), tmp_path / "checkpoints")
    texts = [row.passage_en for row in TRIPLES]
    vectors = raw_vectors(tiny_model, texts, "passage")
    tiny_model.save(str(tmp_path / "saved"))
    again = raw_vectors(load_trainable(str(tmp_path / "saved"), "cpu"), texts, "passage")
    assert vectors == pytest.approx(again, abs=1e-6)


def test_training_lowers_the_loss_and_leaves_an_ordinary_model(tiny_model, tmp_path):
    tiny_model.train()
    before, modules = weights(tiny_model), [type(module) for module in tiny_model]
    dropout = [module.p for module in tiny_model.modules() if isinstance(module, torch.nn.Dropout)]
    steps = finetune(tiny_model, TRIPLES, replace(SMALL, epochs=12), tmp_path)
    assert len(steps) == 12 * 3
    assert steps["loss"].iloc[-6:].mean() < 0.7 * steps["loss"].iloc[:6].mean()
    assert steps[["jsd", "nce"]].sum(axis=1).to_numpy() == pytest.approx(steps["loss"].to_numpy(), abs=2e-3)
    assert [type(module) for module in tiny_model] == modules
    assert [module.p for module in tiny_model.modules() if isinstance(module, torch.nn.Dropout)] == dropout
    assert tiny_model.max_seq_length == 128
    assert all(parameter.requires_grad for parameter in tiny_model.parameters())
    assert changed(tiny_model, before)
    assert np.linalg.norm(tiny_model.encode(["the sea"])) == pytest.approx(1, abs=1e-5)


def test_the_rate_rises_and_falls_linearly(tiny_model, tmp_path):
    steps = finetune(tiny_model, TRIPLES, replace(SMALL, batch_size=2, epochs=2, warmup=0.5), tmp_path)
    rates = steps["learning_rate"].to_numpy()
    assert rates.argmax() == pytest.approx(len(rates) / 2, abs=1)
    assert rates.max() == pytest.approx(1e-3)
    assert np.diff(rates[7:]) == pytest.approx(np.diff(rates[7:])[0])


def is_norm_or_bias(name):
    return "bias" in name or "LayerNorm" in name


@pytest.mark.parametrize(
    ("change", "may_move"),
    [
        ({"frozen_embeddings": True}, lambda name: "word_embeddings" not in name),
        ({"only_biases": True}, is_norm_or_bias),
        ({"lora_rank": 2}, lambda name: "embeddings" not in name and "LayerNorm" not in name),
        ({"last_layers": 1}, lambda name: "layer.1." in name),
    ],
)
def test_only_what_the_recipe_trains_moves_and_an_ordinary_model_is_left(
    tiny_model, tmp_path, recwarn, change, may_move
):
    before = weights(tiny_model)
    finetune(tiny_model, TRIPLES, replace(SMALL, **change), tmp_path)
    moved = changed(tiny_model, before)
    assert len(moved) > 10
    assert all(map(may_move, moved))
    assert list(tiny_model.state_dict()) == list(before)
    assert all(parameter.requires_grad for parameter in tiny_model.parameters())
    assert not [warning for warning in recwarn if issubclass(warning.category, FutureWarning)]  # shown by a notebook


def test_the_share_of_trained_weights_is_that_of_the_weights_that_may_move(tiny_model):
    sizes = {name: weight.numel() for name, weight in tiny_model.named_parameters()}
    before = weights(tiny_model)
    last = sum(size for name, size in sizes.items() if "layer.1." in name)
    assert trained_share(tiny_model, replace(SMALL, last_layers=1)) == pytest.approx(last / sum(sizes.values()))
    assert 0 < trained_share(tiny_model, replace(SMALL, lora_rank=2)) < 0.2
    assert not changed(tiny_model, before)
    with pytest.raises(XlError, match="last_layers is 3, and the model has 2; give fewer"):
        trained_share(tiny_model, replace(SMALL, last_layers=3))


def test_english_stays_where_it_was_with_the_loss_that_keeps_it(untrained, tmp_path):
    english = [row.passage_en for row in TRIPLES]
    before, moves = untrained.encode(english), {}
    for losses in (("jsd",), ("jsd", "keep")):
        model = copy.deepcopy(untrained)
        recipe = replace(SMALL, losses=losses, keep_weight=10.0, epochs=4)
        steps = finetune(model, TRIPLES, recipe, tmp_path / "-".join(losses))
        moves[losses] = np.linalg.norm(model.encode(english) - before, axis=1).mean()
    assert moves["jsd", "keep"] < 0.5 * moves["jsd",]
    assert "keep" in steps


def test_the_same_seed_gives_the_same_weights_and_another_one_does_not(untrained, tmp_path):
    models = []
    for number, seed in enumerate((1, 1, 2)):
        models.append(copy.deepcopy(untrained))
        finetune(models[-1], TRIPLES, replace(SMALL, seed=seed, dropout=0.1), tmp_path / str(number))
    assert not changed(models[0], weights(models[1]))
    assert changed(models[0], weights(models[2]))


def run_script(script, *options, launcher=()):
    """Run a training in another process, with the names of this file."""
    start = f"import os, sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); from test_finetune import *\n"
    start += "from pathlib import Path; from tiny import make_tiny_model\n"
    path = Path(options[0]) / "script.py"
    path.write_text(start + script, encoding="utf-8")
    command = [sys.executable, *launcher, str(path), *map(str, options)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_PORT": "0"}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


def test_pieces_train_the_same_weights_as_whole_batches(untrained, tmp_path):
    models = [copy.deepcopy(untrained) for _ in range(2)]
    recipe = replace(SMALL, losses=("jsd", "nce", "keep"))
    for model, tokens in zip(models, (16, 0), strict=True):
        finetune(model, TRIPLES, replace(recipe, micro_tokens=tokens), tmp_path / str(tokens))
    assert changed(models[0], weights(untrained))
    assert_close(weights(models[0]), models[1].state_dict(), rtol=0, atol=1e-5)


KILLED = """
class Kill(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 5:
            os._exit(9)
folder = Path(sys.argv[1])
finetune(make_tiny_model(folder).eval(), TRIPLES, LONGER, folder / "checkpoints", save_every=2, callbacks=[Kill()])
"""


class Counter(TrainerCallback):
    """Notes the steps that a training takes."""

    def __init__(self):
        self.steps = []

    def on_step_end(self, args, state, control, **kwargs):
        self.steps.append(state.global_step)


def test_a_killed_training_goes_on_to_the_same_weights(untrained, tmp_path):
    result = run_script(KILLED, tmp_path)
    assert result.returncode == 9, result.stderr[-2000:]
    checkpoints = tmp_path / "checkpoints"
    assert {path.name for path in checkpoints.glob("checkpoint-*")} == {"checkpoint-2", "checkpoint-4"}
    state = checkpoints / "checkpoint-4/trainer_state.json"
    content = json.loads(state.read_text())
    seconds = [row["seconds"] for row in content["log_history"]]
    assert seconds == sorted(seconds)
    content["log_history"][-1]["seconds"] = 1000.0
    state.write_text(json.dumps(content))
    resumed, whole, counter = copy.deepcopy(untrained), copy.deepcopy(untrained), Counter()
    steps = finetune(resumed, TRIPLES, LONGER, checkpoints, save_every=2, callbacks=[counter])
    assert counter.steps == [5, 6]  # not from the start
    assert steps["seconds"].tolist()[:4] == [*seconds[:3], 1000.0]
    assert 1000 < steps["seconds"].iloc[4] < steps["seconds"].iloc[5] < 1900  # both parts count
    finetune(whole, TRIPLES, LONGER, tmp_path / "whole")
    assert not changed(resumed, weights(whole))


ONE_OF_TWO = """
folder = Path(sys.argv[1], os.environ["RANK"])
folder.mkdir()
model = make_tiny_model(folder).eval()
finetune(model, TRIPLES, replace(SMALL, batch_size=2), Path(sys.argv[1], "checkpoints"))
model.save_pretrained(str(folder / "done"))
"""


def test_two_devices_with_half_a_batch_each_train_the_same_weights(tiny_model, tmp_path):
    """Negatives come from both devices, and so do gradients."""
    from safetensors.torch import load_file

    launcher = ("-m", "torch.distributed.run", "--nproc_per_node", "2", "--standalone")
    result = run_script(ONE_OF_TWO, tmp_path, launcher=launcher)
    assert result.returncode == 0, result.stderr[-2000:]
    finetune(tiny_model, TRIPLES, SMALL, tmp_path / "one")
    one = {name: value for name, value in tiny_model[0].model.state_dict().items() if "position_ids" not in name}
    two = load_file(tmp_path / "0/done/model.safetensors")
    assert_close({name: two[name] for name in one}, one, rtol=0, atol=1e-5)


def test_no_training_goes_on_from_the_checkpoints_of_another(untrained, tmp_path):
    twice = replace(SMALL, epochs=2)
    finetune(copy.deepcopy(untrained), TRIPLES[:4], twice, tmp_path / "run", save_every=1)
    other = copy.deepcopy(untrained)
    with torch.no_grad():
        next(other.parameters()).mul_(1.01)
    cases = [(untrained, TRIPLES[:4], replace(twice, seed=7)), (untrained, TRIPLES[4:8], twice)]
    for model, triples, recipe in [*cases, (other, TRIPLES[:4], twice)]:
        with pytest.raises(XlError, match="run contains the checkpoints of another training"):
            finetune(model, triples, recipe, tmp_path / "run")


class Still(TrainerCallback):
    def on_pre_optimizer_step(self, *arguments, optimizer, **others):
        for group in optimizer.param_groups:
            group["lr"] = 0.0


def test_a_training_that_learns_nothing_is_refused(tiny_model, tmp_path):
    recipe = Recipe(batch_size=8, epochs=1)
    with pytest.raises(XlError, match="the only step would be the warm-up"):
        finetune(tiny_model, TRIPLES[:8], recipe, tmp_path / "one")
    with pytest.raises(XlError, match="the training changed no weight; give a higher learning_rate"):
        finetune(tiny_model, TRIPLES[:8], replace(recipe, warmup=0), tmp_path / "two", callbacks=[Still()])


def test_too_few_triples_are_refused(tiny_model, tmp_path):
    with pytest.raises(XlError, match="3 triples are fewer than a batch of 4"):
        finetune(tiny_model, TRIPLES[:3], SMALL, tmp_path)
