"""A model small enough to train in a test: two layers, random weights, a vocabulary of letters."""

import string

import torch
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from xlutils.models.e5_q4 import build_tokenizer

CHINESE_AND_ARABIC = "".join(map(chr, [*range(0x4E00, 0xA000), *range(0x621, 0x64B)]))


def make_tiny_model(folder, more_letters=""):
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
    ).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=128,
        type_vocab_size=2,
        pad_token_id=1,
    )
    BertModel(config).save_pretrained(folder)
    modules = [Transformer(str(folder), max_seq_length=128), Pooling(16, pooling_mode="mean"), Normalize()]
    prompts = {"query": "query: ", "passage": "passage: "}
    return SentenceTransformer(modules=modules, prompts=prompts, device="cpu")
