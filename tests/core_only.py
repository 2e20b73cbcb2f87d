"""What a plain `pip install xlutils` must be able to do; packages that only the extras bring cannot be found here."""

import importlib
import pkgutil
import sys
import tomllib
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

FILE = Path(__file__).resolve().parents[1] / "pyproject.toml"


class Without:
    """A finder of modules that does not find some of them."""

    def __init__(self, finder, hidden):
        self.finder, self.hidden = finder, hidden

    def find_spec(self, name, path=None, target=None):
        return None if name.split(".")[0] in self.hidden else self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


def packages_for(texts, extras=(), known=None):
    """The packages that requirements bring, with all that those need."""
    known = set() if known is None else known
    for requirement in map(Requirement, texts):
        node = canonicalize_name(requirement.name), *sorted(requirement.extras)
        is_meant = requirement.marker is None or any(requirement.marker.evaluate({"extra": e}) for e in ("", *extras))
        if is_meant and node not in known:
            known.add(node)
            packages_for(metadata.requires(requirement.name) or [], requirement.extras, known)
    return known


def main():
    """Hide the other packages, import every module, and measure a model in two chapters."""
    needed = {name for name, *_ in packages_for(tomllib.loads(FILE.read_text())["project"]["dependencies"])}
    places = metadata.packages_distributions().items()
    own = needed | {"xlutils"}
    hidden = {module for module, packages in places if not own & set(map(canonicalize_name, packages))}
    sys.meta_path[:] = [Without(finder, hidden) for finder in sys.meta_path]

    import xlutils
    from xlutils.chapters.affinity import study_affinity
    from xlutils.chapters.outcomes import Exam
    from xlutils.chapters.retrieval import study_retrieval
    from xlutils.datasets.scenarios import make_scenarios
    from xlutils.runs import doctor

    for module in pkgutil.walk_packages(xlutils.__path__, "xlutils."):
        importlib.import_module(module.name)
    print(*(finding.says for finding in doctor.examine()), sep="\n")
    model = xlutils.load_model("control-random", cached=False)
    exam = Exam(xlutils.load_parallel("mini", ["en", "zh"]), make_scenarios(("multi",), ["zh"]), "paper")
    print(study_retrieval(model, exam).table(seed=1)["metric"].nunique(), "metrics of retrieval")
    print(study_affinity(model, xlutils.load_lexicon("everyday", ["en", "zh"])).affinity.sa, "of affinity")


if __name__ == "__main__":
    main()
