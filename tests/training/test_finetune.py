import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_tiny_model
from transformers import TrainerCallback

from xlutils.chapters.retrieval import study_retrieval
from xlutils.datasets import load_parallel
from xlutils.datasets.scenarios import make_scenarios
from xlutils.datasets.triples import Triple
from xlutils.errors import XlError
from xlutils.models.encoder import Encoder
from xlutils.training.evaluator import MixedRetrievalEvaluator, StopOnCollapse
from xlutils.training.finetune import Recipe, finetune, learning_rate, steps_to_english, training_table
from xlutils.training.trainable import as_encoder, raw_vectors

pytestmark = pytest.mark.slow

WORDS = ("tide", "moon", "harbour", "boat", "wind", "fish", "sand", "salt", "wave", "gull", "net", "rope")
TRIPLES = [
    Triple(f"what is {a} {b}", f"{a} and {b} are at the sea", f"{a[::-1]} und {b[::-1]} am meer", "de")
    for a in WORDS
    for b in WORDS[:3]
]
SMALL = Recipe(batch_size=4, learning_rate=1e-3, micro_tokens=64, temperature=0.1, bf16=False)


def weights(model):
    return {name: value.clone() for name, value in model.state_dict().items()}


def test_rows_that_share_a_question_or_a_passage_get_one_label():
    rows = [Triple("q1", "p1", "a", "de"), Triple("q2", "p1", "b", "de"), Triple("q2", "p2", "c", "fr"),
            Triple("q3", "p3", "d", "de"), Triple("p3", "q3", "e", "de")]  # fmt: skip
    labels, languages = zip(*training_table(rows)["label"], strict=True)
    assert labels[0] == labels[1] == labels[2]
    assert len(set(labels)) == 3  # the last two only swap texts
    assert languages == (0, 0, 1, 0, 0)


def test_the_step_to_english_is_the_mean_way(tiny_model):
    rows = [Triple("q", "the sea", "das meer", "de"), Triple("q", "a boat", "un bateau", "fr"),
            Triple("q", "the wind", "der wind", "de")]  # fmt: skip
    german, french = steps_to_english(tiny_model, rows)
    sea, meer, wind, der = (raw_vectors(tiny_model, [text], "passage")[0]
                            for text in ("the sea", "das meer", "the wind", "der wind"))  # fmt: skip
    assert german == pytest.approx((sea - meer + wind - der) / 2, abs=1e-6)
    assert french.shape == german.shape


def test_training_lowers_the_loss_and_leaves_the_model_whole(tiny_model, tmp_path):
    tiny_model.train()
    before, modules = weights(tiny_model), [type(module) for module in tiny_model]
    dropout = [module.p for module in tiny_model.modules() if isinstance(module, torch.nn.Dropout)]
    run = finetune(tiny_model, TRIPLES, Recipe(**{**vars(SMALL), "epochs": 4}), tmp_path)
    assert len(run.steps) == 4 * 9
    assert run.steps["loss"].iloc[-6:].mean() < 0.7 * run.steps["loss"].iloc[:6].mean()
    assert run.steps[["jsd", "nce"]].sum(axis=1).to_numpy() == pytest.approx(run.steps["loss"].to_numpy(), abs=2e-3)
    assert [type(module) for module in tiny_model] == modules
    assert [module.p for module in tiny_model.modules() if isinstance(module, torch.nn.Dropout)] == dropout
    assert tiny_model.max_seq_length == 128
    assert all(parameter.requires_grad for parameter in tiny_model.parameters())
    assert not all(torch.equal(value, before[name]) for name, value in tiny_model.state_dict().items())
    assert np.linalg.norm(tiny_model.encode(["the sea"])) == pytest.approx(1, abs=1e-5)


def test_the_rate_rises_and_falls_as_published(tiny_model, tmp_path):
    run = finetune(tiny_model, TRIPLES, Recipe(**{**vars(SMALL), "batch_size": 2, "warmup": 0.5}), tmp_path)
    rates = run.steps["learning_rate"].to_numpy()
    assert rates.argmax() == pytest.approx(len(rates) / 2, abs=1)
    assert rates.max() == pytest.approx(1e-3)
    assert np.allclose(np.diff(rates[10:]), np.diff(rates[10:])[0])


def test_learning_rates():
    assert learning_rate("intfloat/multilingual-e5-large") == 2e-5
    assert learning_rate("BAAI/bge-m3") == 4e-6
    assert learning_rate("Alibaba-NLP/gte-multilingual-base") == 1e-5
    assert learning_rate("jinaai/jina-embeddings-v3") == 3e-5
    assert learning_rate("unknown/model") == 2e-5


def test_frozen_embeddings_do_not_move(tiny_model, tmp_path):
    table = tiny_model[0].model.get_input_embeddings().weight
    before, others = table.detach().clone(), weights(tiny_model)
    finetune(tiny_model, TRIPLES, Recipe(**{**vars(SMALL), "frozen_embeddings": True}), tmp_path)
    assert torch.equal(table, before)
    assert any(not torch.equal(value, others[name]) for name, value in tiny_model.state_dict().items())


def test_training_of_biases_alone_moves_nothing_else(tiny_model, tmp_path):
    before = weights(tiny_model)
    finetune(tiny_model, TRIPLES, Recipe(**{**vars(SMALL), "only_biases": True}), tmp_path)
    moved = {name for name, value in tiny_model.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert all("bias" in name or "LayerNorm" in name for name in moved)
    assert len(moved) > 10
    assert all(parameter.requires_grad for parameter in tiny_model.parameters())


def test_english_stays_where_it_was_if_told_so(tmp_path):
    moves = {}
    for parts in (("jsd",), ("jsd", "keep")):
        model = make_tiny_model(tmp_path / "+".join(parts))
        before = model.encode([row.passage_en for row in TRIPLES])
        recipe = Recipe(**{**vars(SMALL), "losses": parts, "keep_weight": 10.0, "epochs": 2})
        run = finetune(model, TRIPLES, recipe, tmp_path / "-".join(parts))
        moves[parts] = np.linalg.norm(model.encode([row.passage_en for row in TRIPLES]) - before, axis=1).mean()
    assert moves["jsd", "keep"] < 0.5 * moves["jsd",]
    assert "keep" in run.steps


def test_low_rank_training_leaves_an_ordinary_model(tiny_model, tmp_path, recwarn):
    names, before = list(tiny_model.state_dict()), weights(tiny_model)
    finetune(tiny_model, TRIPLES, Recipe(**{**vars(SMALL), "lora_rank": 2}), tmp_path)
    assert list(tiny_model.state_dict()) == names
    changed = {name for name, value in tiny_model.state_dict().items() if not torch.equal(value, before[name])}
    assert changed
    assert not any("embeddings" in name or "LayerNorm" in name for name in changed)
    assert not [each for each in recwarn if issubclass(each.category, FutureWarning)]  # a notebook would show it


def test_the_same_seed_gives_the_same_weights_and_another_one_does_not(tmp_path):
    found = []
    for number, seed in enumerate((1, 1, 2)):
        (tmp_path / str(number)).mkdir()
        model = make_tiny_model(tmp_path / str(number))
        finetune(model, TRIPLES, Recipe(**{**vars(SMALL), "seed": seed, "dropout": 0.1}), tmp_path / f"c{number}")
        found.append(torch.cat([value.flatten().float() for value in model.state_dict().values()]))
    assert torch.equal(found[0], found[1])
    assert not torch.equal(found[0], found[2])


SCRIPT = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from transformers import TrainerCallback
from tiny import make_tiny_model
from test_finetune import SMALL, TRIPLES
from xlutils.training.finetune import Recipe, finetune

class Kill(TrainerCallback):
    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == {kill}:
            os._exit(9)

folder = Path({folder!r})
folder.mkdir(exist_ok=True)
model = make_tiny_model(folder)
recipe = Recipe(**{{**vars(SMALL), "losses": ("jsd", "nce", "keep"), "epochs": 2, "dropout": 0.1}})
finetune(model, TRIPLES, recipe, folder / "checkpoints", save_every=3, callbacks=[Kill()])
model.save_pretrained(str(folder / "done"))
"""


def test_a_killed_training_goes_on_to_the_same_weights(tmp_path):
    from safetensors.torch import load_file

    def run(folder, kill):
        script = SCRIPT.format(tests=str(Path(__file__).parent), folder=str(folder), kill=kill)
        return subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert run(tmp_path / "killed", 7).returncode == 9
    assert not (tmp_path / "killed/done").exists()
    assert sorted(path.name for path in (tmp_path / "killed/checkpoints").glob("checkpoint-*")) == [
        "checkpoint-3",
        "checkpoint-6",
    ]
    again, whole = run(tmp_path / "killed", 0), run(tmp_path / "whole", 0)
    assert again.returncode == whole.returncode == 0, again.stderr[-2000:] + whole.stderr[-2000:]
    one, other = (load_file(tmp_path / name / "done/model.safetensors") for name in ("killed", "whole"))
    assert one.keys() == other.keys()
    for name, value in one.items():
        assert torch.equal(value, other[name]), name


DEVICE_SCRIPT = """
import os, sys
sys.path.insert(0, {tests!r})
from pathlib import Path
from tiny import make_tiny_model
from test_finetune import SMALL, TRIPLES
from xlutils.training.finetune import Recipe, finetune

rank = os.environ.get("RANK", "0")
folder = Path({folder!r})
(folder / rank).mkdir(parents=True)
model = make_tiny_model(folder / rank)
finetune(model, TRIPLES, Recipe(**{{**vars(SMALL), "batch_size": {size}}}), folder / "checkpoints")
if rank == "0":
    model.save_pretrained(str(folder / "done"))
"""


def test_two_devices_with_half_a_batch_each_train_the_same_weights(tmp_path):
    """Negatives come from both devices, and so do gradients."""
    from safetensors.torch import load_file

    for name, size, launch in (("one", 4, []), ("two", 2, ["-m", "torch.distributed.run", "--nproc_per_node", "2"])):
        script = tmp_path / f"{name}.py"
        folder = str(tmp_path / name)
        script.write_text(DEVICE_SCRIPT.format(tests=str(Path(__file__).parent), folder=folder, size=size))
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "MASTER_PORT": "0"}
        launch = [*launch, "--standalone"] if launch else launch
        result = subprocess.run(
            [sys.executable, *launch, str(script)], capture_output=True, text=True, check=False, env=environment
        )
        assert result.returncode == 0, result.stderr[-2000:]
    one, two = (load_file(tmp_path / name / "done/model.safetensors") for name in ("one", "two"))
    for name, value in one.items():
        assert two[name].numpy() == pytest.approx(value.numpy(), abs=1e-5), name


def test_no_training_goes_on_from_the_checkpoints_of_another(tiny_model, tmp_path):
    finetune(tiny_model, TRIPLES[:8], SMALL, tmp_path / "run", save_every=1)
    for recipe, triples in ((Recipe(**{**vars(SMALL), "seed": 7}), TRIPLES[:8]), (SMALL, TRIPLES[8:16])):
        with pytest.raises(XlError, match="run holds the checkpoints of another training"):
            finetune(tiny_model, triples, recipe, tmp_path / "run")


def test_too_few_triples(tiny_model, tmp_path):
    with pytest.raises(XlError, match="3 triples are fewer than a batch of 4"):
        finetune(tiny_model, TRIPLES[:3], SMALL, tmp_path)


def test_the_evaluator_measures_what_the_chapter_measures(tiny_model, tmp_path):
    data = load_parallel("mini", ["en", "de"])
    found = MixedRetrievalEvaluator(data)(tiny_model)
    encoder = as_encoder(tiny_model, "tiny")
    assert isinstance(encoder, Encoder)
    study = study_retrieval(encoder, data, make_scenarios(["multi"], ["de"]))
    assert found["mini_multi/en+de/de/max@r"] == pytest.approx(study.values()["multi/en+de/de/max@r"].mean())
    assert 0 < found["mini_mean/multi/max@r_norm/per-query"] < 100
    run = finetune(tiny_model, TRIPLES, SMALL, tmp_path, data=data, check_every=4)
    assert run.checks["step"].tolist() == [0, 4, 8, 9]  # and at the end
    assert run.checks["mini_multi/en+de/de/max@r"].iloc[0] == pytest.approx(found["mini_multi/en+de/de/max@r"])
    assert run.stopped == ""


class Control:
    should_training_stop = False


@pytest.mark.parametrize(
    ("checks", "reason"),
    [
        ([(0.5, 40), (0.6, 30)], ""),
        ([(0.5, 40), (0.995, 30)], "unrelated passages have a mean cosine of 0.995 at step 5"),
        ([(0.996, 40), (0.995, 30)], ""),  # it came like that
        ([(0.5, 40), (0.5, 8)], "8.0 directions are left of 40.0 at step 5"),
    ],
)
def test_a_model_that_collapses_is_not_trained_further(checks, reason):
    guard, control = StopOnCollapse(), Control()
    state = type("State", (), {"global_step": 5})
    for cosine, rank in checks:
        metrics = {"eval_mini_random-cosine": cosine, "eval_mini_effective-rank": rank, "eval_runtime": 1.0}
        guard.on_evaluate(None, state, control, metrics=metrics)
    assert guard.reason == reason
    assert control.should_training_stop == bool(reason)


def test_a_training_that_collapses_ends_early(tiny_model, tmp_path):
    class Collapse(TrainerCallback):
        """Sets all vectors to one point after three steps."""

        def on_step_end(self, args, state, control, **kwargs):
            if state.global_step == 3:
                with torch.no_grad():
                    for parameter in tiny_model.parameters():
                        parameter.mul_(0).add_(1)

    recipe = Recipe(**{**vars(SMALL), "learning_rate": 1e-9, "epochs": 3})
    data = load_parallel("mini", ["en", "de"])
    run = finetune(tiny_model, TRIPLES, recipe, tmp_path, data=data, check_every=2, callbacks=[Collapse()])
    assert "at step 4" in run.stopped
    assert len(run.steps) == 4
