"""Weights that do not fit, are not whole, or are someone else's: refused in one line, or told apart by name."""

import json
import shutil

import pytest
from safetensors.torch import load_file, save_file

from xlutils.errors import XlError
from xlutils.models import load_model
from xlutils.models.weights import folder_hash, name_of


@pytest.fixture
def copy(tiny, tmp_path):
    """A copy of the tiny model, to be spoiled."""
    return shutil.copytree(tiny, tmp_path / "spoiled")


def rename(folder, name_of_weight):
    weights = load_file(folder / "model.safetensors")
    renamed = {name_of_weight(key): value for key, value in weights.items() if name_of_weight(key)}
    save_file(renamed, folder / "model.safetensors", metadata={"format": "pt"})


def configure(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def without_tokenizer(folder):
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        (folder / name).unlink()


def without_pooling(folder):
    modules = [
        module for module in json.loads((folder / "modules.json").read_text()) if "Pooling" not in module["type"]
    ]
    (folder / "modules.json").write_text(json.dumps(modules))


def as_pointer(folder):
    (folder / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda folder: rename(folder, lambda key: f"module.{key}"), r"lacks embeddings\.\S+, .* and \d+ more"),
        (lambda folder: rename(folder, lambda key: None if "query" in key else key), r"lacks .*query"),
        (lambda folder: configure(folder, num_hidden_layers=1), r"no place for encoder\.layer\.1\."),
        (lambda folder: configure(folder, hidden_size=16), "mismatch|report"),
        (without_pooling, "is not a whole"),
        (without_tokenizer, "has no vocabulary: its tokenizer files are missing"),
        (as_pointer, "is a pointer of Git LFS; run `git lfs pull`"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"\x10" + bytes(40)), "is not a whole"),
        (lambda folder: (folder / "model.safetensors").unlink(), "is not a whole"),
    ],
    ids=[
        "data parallel",
        "missing",
        "fewer layers",
        "another width",
        "no pooling",
        "no tokenizer",
        "pointer",
        "damaged",
        "no file",
    ],
)
def test_a_model_that_is_not_whole_is_refused_in_one_line(copy, spoil, message):
    spoil(copy)
    with pytest.raises(XlError, match=message) as caught:
        load_model(str(copy), cached=False)
    assert "\n" not in str(caught.value)


def test_heads_of_other_tasks_and_poolers_do_not_matter(copy, tiny):
    rename(copy, lambda key: None if "pooler" in key else f"bert.{key}")
    weights = load_file(copy / "model.safetensors")
    weights["cls.bias"] = weights["bert.embeddings.LayerNorm.bias"].clone()
    save_file(weights, copy / "model.safetensors", {"format": "pt"})
    expected = load_model(str(tiny), cached=False).encode(["the black cat"])
    assert (load_model(str(copy), cached=False).encode(["the black cat"]) == expected).all()


def test_two_folders_with_one_name_are_two_models(tiny, tmp_path, monkeypatch):
    one, other = (shutil.copytree(tiny, tmp_path / parent / "nce") for parent in "ab")
    rename(other, lambda key: key)
    configure(other, layer_norm_eps=1e-3)
    names = [load_model(str(folder), cached=False).name for folder in (one, other)]
    assert names == [name_of(str(one)), name_of(str(other))] == [f"nce@{folder_hash(f)[:6]}" for f in (one, other)]
    assert names[0] != names[1]
    monkeypatch.chdir(tmp_path / "a")
    assert name_of("nce/") == name_of("./nce") == names[0]
    assert name_of("sentence-transformers/LaBSE") == "LaBSE"


def test_a_folder_that_lacks_what_its_card_lists_is_refused(copy):
    card = copy / "README.md"
    card.write_text("---\nfiles: [config.json, 1_Pooling/config.json]\n---\n# trained", encoding="utf-8")
    load_model(str(copy), cached=False)
    (copy / "1_Pooling/config.json").unlink()
    with pytest.raises(XlError, match="spoiled lacks 1_Pooling/config.json, which its card lists; copy the whole"):
        load_model(str(copy))
    card.write_text("---\nfiles: {\n---\n", encoding="utf-8")  # somebody else's
    with pytest.raises(XlError, match="not a whole sentence-transformers model"):
        load_model(str(copy))
