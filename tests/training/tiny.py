"""Models small enough to train in a test: two layers, random weights, a vocabulary of letters."""

import string
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Dense, Normalize, Pooling, Transformer
from transformers import AutoConfig, AutoModel, BertConfig, PreTrainedTokenizerFast

from xlutils.models.adapters import TASKS
from xlutils.models.e5_q4 import build_tokenizer

CHINESE_AND_ARABIC = "".join(map(chr, [*range(0x4E00, 0xA000), *range(0x621, 0x64B)]))
INSTRUCTION = "instruct: find the passage\nquery: "
ARCHITECTURES = ("bert", "bert with dense", "xlm-roberta", "qwen3", "gte", "jina_embeddings_v3")


def make_tiny_model(folder, more_letters="", architecture="bert", layers=2):
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    letters = [(letter, -3.0) for letter in ("\u2581", *string.ascii_lowercase, *more_letters)]
    words = [("\u2581the", -1.0), ("\u2581sea", -1.0), ("\u2581a", -1.5), ("<mask>", 0.0)]
    pieces = special + letters + words
    PreTrainedTokenizerFast(
        tokenizer_object=build_tokenizer(pieces),
        model_max_length=128,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
        padding_side="left" if architecture == "qwen3" else "right",
    ).save_pretrained(folder)
    torch.manual_seed(0)
    transformer = AutoModel.from_config(_config(architecture, len(pieces), layers))
    transformer.save_pretrained(folder)
    if architecture == "jina_embeddings_v3":
        _save_adapters(transformer, folder)
    modes = {"qwen3": "lasttoken", "gte": "cls", "bert with dense": "cls"}
    pooling = Pooling(16, pooling_mode=modes.get(architecture, "mean"))
    dense = [Dense(16, 16)] if architecture == "bert with dense" else []
    modules = [Transformer(str(folder), max_seq_length=128), pooling, *dense, Normalize()]
    prompts = {"query": INSTRUCTION} if architecture == "qwen3" else {"query": "query: ", "passage": "passage: "}
    return SentenceTransformer(modules=modules, prompts=prompts, device="cpu")


def _config(architecture, size, layers):
    settings = {
        "vocab_size": size,
        "hidden_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "intermediate_size": 32,
        "max_position_embeddings": 130,  # XLM-R begins at 2
        "pad_token_id": 1,
    }
    if architecture.startswith("bert"):
        far_apart = {"initializer_range": 0.2} if architecture == "bert with dense" else {}
        return BertConfig(**settings | far_apart | {"max_position_embeddings": 128, "type_vocab_size": 2})
    settings["initializer_range"] = 0.2  # vectors that differ
    more = {"num_key_value_heads": 1, "head_dim": 8} if architecture == "qwen3" else {"type_vocab_size": 1}
    return AutoConfig.for_model(architecture, **settings, **more)


def _save_adapters(transformer, folder):
    """Save three adapters that do something, each in a folder of its own, as the hub has them."""
    from peft import LoraConfig

    for task in TASKS.values():
        layers = ["q_proj", "v_proj", "word_embeddings"]
        transformer.add_adapter(LoraConfig(r=2, target_modules=layers, init_lora_weights=False), task)
        transformer.set_adapter(task)
        transformer.save_pretrained(Path(folder, task))
