"""The command `xl`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

from xlutils.cli.arguments import complete_models, names_in
from xlutils.cli.gate import gate
from xlutils.cli.results import compare, explain, export, languages, leaderboard
from xlutils.errors import XlError, require


class OneLineErrors(click.Group):
    """Commands that show an error the user can fix as one line."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(context)
        except XlError as error:
            raise click.ClickException(str(error)) from None


def _pairs(texts: tuple[str, ...]) -> dict[str, str]:
    for text in texts:
        if not re.match("[^=]+=", text):
            raise XlError(f"-p {text}: give KEY=VALUE, such as models=LaBSE")
    return dict(text.split("=", 1) for text in texts)


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
@click.argument("chapter", shell_complete=lambda *typed: [n for n in "0123456A" if n.startswith(typed[2])])
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
@click.option("--models", default="", shell_complete=complete_models, help="Comma-separated names or folders.")
@click.option("--chapters", default="1,2,3", show_default=True, help="Some of 1 to 5; a list has its own.")
@click.option("--datasets", default="", help="Words for chapters 1, 2, 5, questions for 3, 4.")
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

    models, chapters, datasets = (names_in(options.pop(key)) for key in ("models", "chapters", "datasets"))
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

    codes, chosen = language_codes(names_in(languages)), load_english_pairs(pairs)[:limit]
    engine = chat_translator(translator) if chat else seq2seq_translator(translator)
    for line in translate_pairs(chosen, codes, engine, out):
        click.echo(line, err=True)
    click.echo(f"{len(load_triples(out, codes).rows)} triples in {out}")


for command in (compare, leaderboard, languages, explain, export, gate):
    main.add_command(command)
