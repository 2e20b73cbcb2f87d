"""Training triples from English pairs: a model translates the passages; a stopped run continues where it was."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from xlutils.datasets.languages import LANGUAGES, language_codes
from xlutils.datasets.scenarios import PIVOT
from xlutils.datasets.triples import Triple, fault_of
from xlutils.errors import XlError, first_line
from xlutils.hub import hub_session
from xlutils.models.api import clear_errors, client
from xlutils.models.progress import progress
from xlutils.models.sentence_transformer import pick_device, quiet

Translator = Callable[[Sequence[str], str], Iterator[str]]  # from English texts and a language code to translations
_BATCH = 8


def chat_translator(model: str) -> Translator:
    """Return a translator that asks a chat model of OpenAI, or of the server that `OPENAI_BASE_URL` names.

    The instruction is that of Hong et al., from their appendix.

    :param model: The server's name for the model, such as "gpt-4o".
    :raises XlError: If there is no key in the environment.
    """
    openai = client()

    def translate(texts: Sequence[str], language: str) -> Iterator[str]:
        name = LANGUAGES[language].name
        instruction = f"#Instructions\nTranslate the following English passage fully and accurately into {name}"
        for text in texts:
            with clear_errors(openai):
                answer = openai.chat.completions.create(
                    model=model,
                    messages=[{"role": "system", "content": instruction}, {"role": "user", "content": text}],
                    temperature=0,
                    seed=42,
                )
                translation = str(answer.choices[0].message.content).strip()
            yield translation

    return translate


def seq2seq_translator(source: str, device: str = "auto", max_tokens: int = 512) -> Translator:
    """Return a translator that runs a multilingual sequence-to-sequence model, such as NLLB or M2M-100.

    :param source: Hub id or folder.
    :param max_tokens: Largest number of tokens in a translation.
    :raises XlError: If the model could not be loaded.
    """
    import torch

    try:
        with quiet(), hub_session():
            from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

            tokenizer: Any = AutoTokenizer.from_pretrained(source)
            model: Any = AutoModelForSeq2SeqLM.from_pretrained(source).to(pick_device(device)).eval()
    except (OSError, ValueError) as error:
        hint = "check the name, or give a folder"
        raise XlError(f"could not load the translator {source}: {first_line(error)}; {hint}") from error

    def translate(texts: Sequence[str], language: str) -> Iterator[str]:
        tokenizer.src_lang = _token_of(tokenizer, "en", source)
        start = tokenizer.convert_tokens_to_ids(_token_of(tokenizer, language, source))
        for first in range(0, len(texts), _BATCH):
            batch = list(texts[first : first + _BATCH])
            inputs = tokenizer(batch, return_tensors="pt", padding=True, truncation=True).to(model.device)
            with torch.inference_mode():
                tokens = model.generate(**inputs, forced_bos_token_id=start, max_new_tokens=max_tokens)
            yield from (text.strip() for text in tokenizer.batch_decode(tokens, skip_special_tokens=True))

    return translate


def _token_of(tokenizer: Any, code: str, source: str) -> str:
    """Return a tokenizer's token for a language: `deu_Latn` in NLLB, `__de__` in M2M-100."""
    for name in filter(None, (LANGUAGES[code].flores, f"__{code}__", code)):
        if tokenizer.convert_tokens_to_ids(name) not in (None, tokenizer.unk_token_id):
            return name
    raise XlError(f"the translator {source} does not know {LANGUAGES[code].name}")


def translate_pairs(
    pairs: Sequence[tuple[str, str]], languages: Sequence[str], translator: Translator, folder: str | Path
) -> list[str]:
    """Translate passages and write `train.<lang>.jsonl`, which `load_triples` reads.

    Pairs that are in the files already are not translated again.

    :param pairs: English questions and passages.
    :param languages: Codes or names of the languages to translate into.
    :return: A line for each language of which triples were left out, because of a translation that is empty or none.
    :raises XlError: If a language is English.
    """
    folder, codes = Path(folder), language_codes(languages)
    if PIVOT in codes:
        raise XlError("every triple contains English already; name only the languages to translate into")
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for language in codes:
        path = folder / f"train.{language}.jsonl"
        done = _whole_lines(path)
        todo = [pair for pair in pairs if pair not in done]
        faults: list[str] = []
        translations = translator([passage for _, passage in todo], language)
        with (
            path.open("a", encoding="utf-8") as file,
            progress(len(todo), f"translating into {LANGUAGES[language].name}") as advance,
        ):
            for (query, passage), text in zip(todo, translations, strict=True):
                row = Triple(query, passage, text, language)
                if fault := fault_of(row, {}):
                    faults.append(f"{passage[:40]!r}: {fault.partition(';')[0]}")
                else:
                    file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
                    file.flush()
                advance(1)
        if faults:
            lines.append(f"{language}: left out {len(faults)} ({faults[0]}); run it again to translate them anew")
    return lines


def _whole_lines(path: Path) -> set[tuple[str, str]]:
    """Return the pairs in a file, after cutting off a last line that a kill left unfinished."""
    if not path.exists():
        return set()
    content = path.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        path.write_bytes(whole)
    rows = [json.loads(line) for line in whole.decode().split("\n") if line]
    return {(row["query_en"], row["passage_en"]) for row in rows}
