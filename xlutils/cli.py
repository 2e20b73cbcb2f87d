"""The command `xl`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from xlutils.errors import XlError, require


class OneLineErrors(click.Group):
    """Commands that show an error the user can fix as one line."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except XlError as error:
            raise click.ClickException(str(error)) from None


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if not re.match("[^=]+=", text):
            raise XlError(f"-p {text}: give KEY=VALUE, such as models=LaBSE")
    return dict(text.split("=", 1) for text in texts)


def _complete_models(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
    """Complete the last of several model names separated by commas, for the shell."""
    from xlutils.models.catalogue import CATALOGUE

    before, comma, last = begun.rpartition(",")
    return [f"{before}{comma}{name}" for name in CATALOGUE if name.lower().startswith(last.lower())]


@click.group(cls=OneLineErrors, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="xlutils")
def main() -> None:
    """Measure how well multilingual embedding models align languages."""


@main.command()
def models() -> None:
    """List the models that can be loaded by name."""
    from xlutils.models.catalogue import CATALOGUE

    width = max(map(len, CATALOGUE))
    for card in CATALOGUE.values():
        click.echo(f"{card.name:{width}}  {card.dim:4}d  {card.licence:12}  {card.source}")


@main.command()
def data() -> None:
    """List the data sets that can be loaded by name."""
    from xlutils.datasets import describe_datasets

    click.echo("\n".join(describe_datasets()))


@main.command()
@click.option("--clear", is_flag=True, help="Delete the cached vectors and models.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def cache(clear: bool, yes: bool) -> None:
    """Show the size of the caches, or clear them; XL_CACHE names another place for them."""
    from xlutils.models.store import clear_cache, describe_cache

    click.echo("\n".join(describe_cache()))
    if clear and (yes or click.confirm("Delete all of it?")):
        click.echo(f"freed {clear_cache() / 1e6:,.1f} MB")


@main.command()
@click.argument("chapter", shell_complete=lambda *typed: [n for n in "01234A" if n.startswith(typed[2])])
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter of the notebook.")
@click.option("-o", "--out", type=click.Path(path_type=Path), help="The executed notebook, or a folder for it.")
@click.option("--list", "listed", is_flag=True, help="List the parameters and their defaults instead.")
def run(chapter: str, pairs: tuple[str, ...], out: Path | None, listed: bool) -> None:
    """Run a chapter with your own parameters, which are checked before anything starts.

    \b
    Example:
      xl run 3 -p models=bge-m3 -p dataset=xquad -p languages=ar,zh -p protocol=paper
    """
    from xlutils.runs import execute as runs

    notebook = runs.find_chapter(chapter)
    standard = runs.defaults(notebook)
    if listed:
        click.echo("\n".join(f"{name:16} {value!r}" for name, value in standard.items()))
        return
    changes = runs.parse(_pairs(pairs), standard)
    runs.check(notebook, changes)
    target = out if out and out.suffix == ".ipynb" else Path(out or "_build/runs", notebook.name)
    outcome = runs.execute(notebook, target, changes, bar=True)
    if outcome.code:
        raise XlError(f"{notebook.stem}: {outcome.reason}")
    click.echo(f"executed: {target}")


@main.command()
@click.argument("run_list", required=False, type=click.Path(path_type=Path))
@click.option("--models", default="", shell_complete=_complete_models, help="Comma-separated names or folders.")
@click.option("--chapters", default="1,2,3", show_default=True, help="Some of 1, 2, 3, 4; a list has its own.")
@click.option("--datasets", default="", help="Words for chapters 1 and 2, questions for 3 and 4.")
@click.option("-p", "pairs", multiple=True, metavar="KEY=VALUE", help="A parameter, for the chapters that have it.")
@click.option("--out", default="_build/sweep", show_default=True, help="Folder or fsspec URL for executed notebooks.")
@click.option("--records", default="_build/records", show_default=True, help="Folder or fsspec URL for records.")
@click.option("--scheduler", help="Address of a Dask scheduler, such as tcp://10.0.0.1:8786; default: a local one.")
@click.option("--workers", type=click.IntRange(min=1), help="Cells to run at once; default: as many as fit.")
@click.option("--threads", type=click.IntRange(min=1), help="Threads per cell; default: its share of the cores.")
@click.option("--gpus", type=click.IntRange(min=0), default=0, help="GPUs per cell (a Dask resource).")
@click.option("--dry-run", is_flag=True, help="Show the plan, and run nothing.")
def sweep(run_list: Path | None, pairs: tuple[str, ...], **options: Any) -> None:
    """Run a matrix of models, chapters and data sets, or a run list; whatever is done already is not repeated.

    \b
    Examples:
      xl sweep runs/table-3.toml --dry-run
      xl sweep --models bge-m3,LaBSE --scheduler tcp://10.0.0.1:8786 --gpus 1 -p device=cuda
    """
    require("distributed", "cluster")
    from xlutils.runs.lists import choose_cells
    from xlutils.runs.terminal import follow

    models, chapters, datasets = (_names(options.pop(key)) for key in ("models", "chapters", "datasets"))
    wanted, cells = choose_cells(run_list, models, chapters, datasets, _pairs(pairs))
    if not follow(cells, wanted, **options):
        raise click.exceptions.Exit(1)


@main.command()
def doctor() -> None:
    """Check what works on this machine."""
    from xlutils.runs.doctor import examine

    marks = []
    for finding in examine():
        marks.append("ok" if finding.works else "no" if finding.is_needed else "-")
        click.echo(f"{marks[-1]:3} {finding.what:9} {finding.says}")
    if "no" in marks:
        raise XlError("the default notebooks need what is marked 'no'")


@main.command()
@click.argument("one", shell_complete=_complete_models)
@click.argument("other", shell_complete=_complete_models)
@click.option("--records", default="_build/records", show_default=True, help="Folder of the records.")
@click.option("--all", "everything", is_flag=True, help="Every metric of every scenario.")
def compare(one: str, other: str, records: str, everything: bool) -> None:
    """Compare two models item by item, from their records."""
    from xlutils.results.compare import comparison_text, find_pairs

    for pair in find_pairs(records, one, other):
        click.secho(f"\n{pair.name}", bold=True)
        click.echo(comparison_text(pair, everything=everything))


@main.command()
@click.option("--records", "folders", multiple=True, help="Folder of records; default: book/records, _build/records.")
@click.option("--questions", default="xquad.unique", show_default=True, help="Question set, as records name it.")
@click.option("--html", type=click.Path(path_type=Path), default="_build/leaderboard.html", show_default=True)
@click.option("--csv", "table", type=click.Path(path_type=Path), help="Write all scores as CSV.")
@click.option("--check", is_flag=True, help="Check that every record may be published, and do nothing else.")
def leaderboard(folders: tuple[str, ...], questions: str, html: Path, table: Path | None, check: bool) -> None:
    """Put all records on one board: in the terminal, and as a page to sort and filter."""
    from xlutils.results.check import check_records
    from xlutils.results.leaderboard.advice import board_text
    from xlutils.results.leaderboard.page import write_files
    from xlutils.results.leaderboard.read import read_board

    places = [folder for folder in folders or ("book/records", "_build/records") if Path(folder).is_dir()]
    if not places:
        raise XlError(f"no folder of records here: {', '.join(folders) or 'run a chapter first, or name one'}")
    if check:
        click.echo("\n".join(f"{check_records(folder)} records in {folder} may be published" for folder in places))
        return
    board = read_board(places)
    click.echo(board_text(board, questions))
    write_files(board, html, table)
    click.echo(f"\nto sort and filter: {html}")


@main.group()
def export() -> None:
    """Write results for other tools."""


@export.command()
@click.argument("model", shell_complete=_complete_models)
@click.option("--records", default="book/records", show_default=True, help="Folder of the records.")
def card(model: str, records: str) -> None:
    """Print a model's results as metadata of a model card (model-index), to paste into its README."""
    from xlutils.results.export import card_metadata

    click.echo(card_metadata(records, model), nl=False)


@export.command()
@click.argument("model", shell_complete=_complete_models)
@click.option("--dataset", default="mini", show_default=True, help="Questions: a name or a folder.")
@click.option("--languages", default="zh,es,ar,th,de,ru", show_default=True, help="Languages besides English.")
@click.option("--scenarios", default="multi,multi-1,mono-same,mono-cross", show_default=True)
@click.option("--depth", type=click.IntRange(min=1), default=100, show_default=True, help="Documents per question.")
@click.option("--out", default="_build/trec", show_default=True, help="Folder of the files.")
def trec(model: str, dataset: str, languages: str, scenarios: str, depth: int, out: str) -> None:
    """Write a model's rankings and the judgements in TREC's format, for ir_measures, ranx and others.

    \b
    Example:
      xl export trec LaBSE --dataset xquad --languages zh,es --scenarios multi
      ir_measures _build/trec/multi.en+zh.zh.qrels _build/trec/multi.en+zh.zh.run RR nDCG@1
    """
    from xlutils.results.export import export_trec

    paths = export_trec(model, dataset, _names(languages), _names(scenarios), out, depth)
    click.echo(f"{len(paths)} files in {out}")


@main.command()
@click.argument("languages")
@click.option("--translator", required=True, help="Hub id or folder of a translation model; with --chat, a chat model.")
@click.option("--chat", is_flag=True, help="Ask OpenAI or OPENAI_BASE_URL; the key is OPENAI_API_KEY's.")
@click.option("--pairs", default="miracl", show_default=True, help="miracl, questions by name, or JSON lines.")
@click.option("--limit", type=click.IntRange(min=1), help="Translate only the first pairs.")
@click.option("--out", default="_build/triples", show_default=True, help="Folder of the triples.")
def triples(languages: str, translator: str, chat: bool, pairs: str, limit: int | None, out: str) -> None:
    """Translate English questions and passages into training triples; a stopped run continues.

    \b
    Example:
      xl triples zh,ar --translator facebook/m2m100_418M --limit 2800
      xl triples zh,ar --translator gpt-4o --chat --pairs my_pairs.jsonl
    """
    from xlutils.datasets import load_english_pairs, load_triples
    from xlutils.datasets.languages import language_codes
    from xlutils.training.translate import chat_translator, seq2seq_translator, translate_pairs

    codes, chosen = language_codes(_names(languages)), load_english_pairs(pairs)[:limit]
    engine = chat_translator(translator) if chat else seq2seq_translator(translator)
    translate_pairs(chosen, codes, engine, out)
    click.echo(f"{len(load_triples(out, codes).rows)} triples in {out}")
