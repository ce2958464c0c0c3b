"""The experiments: the runs of each, and the table and picture made of their results."""

from ..inspection import HistoryDisplay
from ._attention_alone import measure_attention_alone
from ._new_pairs import PredictionKeeper, measure_new_pairs
from ._pictures import bars, curves, dots, sweep
from ._recipe import (
    ATTENTION_DIMS,
    DROPOUTS,
    L2_ATTENTIONS,
    SAMPLERS,
    SYSTEMS,
    draws,
    estimator,
)
from ._runs import Run
from ._tables import NAMES, by, effort, markdown, mean, mean_and_deviation

_EFFORT = ["best epoch", "minutes"]
_FRAPPE = ("frappe",)
_SEEDS_OF_OTHERS = 3
_TASKS = {"regression": "rmse", "classification": "log_loss"}


class Study:
    """One experiment.

    Attributes
    ----------
    title : str
    embedding_dim, n_seeds : int
        Default values. The command line can change them.
    n_panels : int
        Number of axes of the picture.
    """

    n_panels = 1
    embedding_dim = 64
    n_seeds = 1

    def runs(self, embedding_dim: int, seeds: range) -> list[Run]:
        """Return the runs that the experiment needs."""
        raise NotImplementedError

    def table(self, results: list[dict]) -> str:
        """Make a Markdown table of the results."""
        raise NotImplementedError

    def draw(self, results: list[dict], axes: list) -> None:
        """Draw the results on the axes of a figure."""
        raise NotImplementedError


class Accuracy(Study):
    """The paper's Table 2, with the systems that it compares and those that it names.

    FM and AFM have five seeds, the others three at most.
    """

    n_seeds = 5

    def __init__(self, title, embedding_dim, tasks=tuple(_TASKS), rows=_FRAPPE):
        self.title = title
        self.embedding_dim = embedding_dim
        self._tasks = tasks
        self._rows = rows
        self.n_panels = len(tasks)

    def runs(self, embedding_dim, seeds):
        return [
            Run(
                {"model": model, "task": task, "seed": seed},
                estimator(model, task, embedding_dim, seed),
                self._rows,
            )
            for task in self._tasks
            for model in (*SAMPLERS, *SYSTEMS)
            for seed in (seeds if model in ("FM", "AFM") else seeds[:_SEEDS_OF_OTHERS])
        ]

    def table(self, results):
        lines = [
            [
                model,
                task,
                len(group),
                f"{group[0]['measures']['parameters']:,}",
                *(mean_and_deviation(group, measure) for measure in NAMES),
                *effort(group),
            ]
            for (model, task), group in by(results, "model", "task").items()
        ]
        return markdown(["model", "task", "seeds", "parameters", *NAMES.values(), *_EFFORT], lines)

    def draw(self, results, axes):
        for ax, task in zip(axes, self._tasks):
            dots([result for result in results if result["task"] == task], ax, _TASKS[task])


class Recipes(Study):
    """The search for the recipes of Table 2: as many draws of settings for each model."""

    title = "Recipes: draws of the settings of each model"
    n_panels = 2

    def runs(self, embedding_dim, seeds):
        return [
            Run(
                {"model": model, "task": task, "draw": settings, "seed": seed},
                estimator(model, task, embedding_dim, seed, **settings),
                _FRAPPE,
            )
            for task in _TASKS
            for model in SYSTEMS
            for settings in draws(model)
            for seed in seeds
        ]

    def table(self, results):
        lines = []
        for (model, task), group in by(results, "model", "task").items():
            of_draw = sorted(
                (mean(part, _TASKS[task]), text)
                for text, part in by([r | {"draw": str(r["draw"])} for r in group], "draw").items()
            )
            losses = [loss for loss, _ in of_draw]
            numbers = [losses[0], losses[len(losses) // 2], losses[-1]]
            lines.append([model, task, *(f"{loss:.4f}" for loss in numbers), f"`{of_draw[0][1]}`"])
        header = ["model", "task", "best", "median", "worst", "settings of the best"]
        return markdown(header, lines)

    def draw(self, results, axes):
        for ax, (task, measure) in zip(axes, _TASKS.items()):
            dots([result for result in results if result["task"] == task], ax, measure)


class Sweep(Study):
    """RMSE on Frappe over the values of one parameter. A model without it runs only once."""

    def __init__(self, title, parameter, values, axis):
        self.title = title
        self._parameter = parameter
        self._values = values
        self._axis = axis

    def runs(self, embedding_dim, seeds):
        return [
            Run(
                {"model": model, **change, "seed": seed},
                estimator(model, "regression", embedding_dim, seed, **change),
                _FRAPPE,
            )
            for seed in seeds
            for model in ("FM", "AFM")
            for change in self._changes(model)
        ]

    def _changes(self, model):
        has_it = self._parameter in estimator(model, "regression", 1, 0).get_params()
        return [{self._parameter: value} for value in self._values] if has_it else [{}]

    def table(self, results):
        lines = [
            [model, "" if value is None else f"{value:g}"]
            + [mean_and_deviation(group, measure) for measure in ("rmse", "auc")]
            + effort(group)
            for (model, value), group in by(results, "model", self._parameter).items()
        ]
        return markdown(["model", self._parameter, "RMSE", "AUC", *_EFFORT], lines)

    def draw(self, results, axes):
        sweep(results, axes[0], self._parameter, self._axis)


class Epochs(Study):
    """The paper's Figure 5: training and validation error by epoch."""

    title = "Figure 5: training and validation error by epoch"

    def runs(self, embedding_dim, seeds):
        return [
            Run(
                {"model": model, "seed": seed},
                estimator(
                    model, "regression", embedding_dim, seed, max_iter=40, n_iter_no_change=40
                ),
                _FRAPPE,
            )
            for seed in seeds
            for model in ("FM", "AFM")
        ]

    def table(self, results):
        lines = []
        for result in results:
            for record in result["history"]:
                if record["epoch"] in (1, 2, 5, 10, 20, 30, 40, result["best_epoch"]):
                    errors = (record[f"{part}_loss"] ** 0.5 for part in ("train", "validation"))
                    name = f"{result['model']}, seed {result['seed']}"
                    lines.append([name, record["epoch"], *(f"{error:.4f}" for error in errors)])
        return markdown(["model", "epoch", "training RMSE", "validation RMSE"], lines)

    def draw(self, results, axes):
        first = {model: group[0] for model, group in by(results, "model").items()}
        histories = {model: result["history"] for model, result in first.items()}
        best = {model: result["best_epoch"] for model, result in first.items()}
        HistoryDisplay(histories, best=best, measure="RMSE").plot(axes[0])


class AttentionAlone(Study):
    """The paper's Table 1: train an FM, freeze it, then train only the attention network."""

    title = "Table 1: the attention network alone"
    n_seeds = 3
    n_panels = 3

    def runs(self, embedding_dim, seeds):
        frozen = ("bias", "linear_weights", "embeddings", "projection")
        changes = {"init": "fm", "freeze": frozen}
        return [
            Run(
                {"model": "FM+A", "seed": seed},
                estimator("AFM", "regression", embedding_dim, seed, **changes),
                _FRAPPE,
                measure_attention_alone,
            )
            for seed in seeds
        ]

    def table(self, results):
        lines = []
        for result in results:
            before, after = (result["measures"][name] for name in ("rmse_fm", "rmse"))
            gain = f"{100 * (1 - after / before):.1f}%"
            lines.append([result["seed"], f"{before:.4f}", f"{after:.4f}", gain])
        gains = markdown(["seed", "FM with uniform attention 1/\\|R\\|", "FM+A", "gain"], lines)
        examples = results[0]["measures"]["examples"]
        header = ["row", "model", *examples["pairs"], "all pairs", "prediction", "target"]
        lines = [
            [number, model, *self._cells(row[model]), row["target"]]
            for number, row in enumerate(examples["rows"], 1)
            for model in ("FM", "FM+A")
        ]
        return gains + "\n" + markdown(header, lines)

    @staticmethod
    def _cells(terms):
        products = [f"{a:.3f} * {s:.2f}" for a, s in zip(terms["attention"], terms["score"])]
        return [*products, f"{terms['sum']:.2f}", f"{terms['prediction']:.2f}"]

    def draw(self, results, axes):
        examples = results[0]["measures"]["examples"]
        for number, (ax, row) in enumerate(zip(axes, examples["rows"]), 1):
            products = {
                model: [a * s for a, s in zip(row[model]["attention"], row[model]["score"])]
                for model in ("FM", "FM+A")
            }
            bars(products, examples["pairs"], ax, "attention * interaction")
            ax.set_title(f"row {number}")


class NewPairs(Study):
    """Why AUC is best in an earlier epoch than RMSE: known and new pairs of user and item."""

    title = "Known and new pairs of user and item, by epoch"
    n_panels = 2

    def runs(self, embedding_dim, seeds):
        return [
            Run(
                {"model": "AFM", "l2_attention": strength, "seed": seed},
                estimator(
                    "AFM",
                    "regression",
                    embedding_dim,
                    seed,
                    l2_attention=strength,
                    scoring=PredictionKeeper(),
                    max_iter=30,
                    n_iter_no_change=30,
                ),
                _FRAPPE,
                measure_new_pairs,
                resumes=False,
            )
            for seed in seeds
            for strength in (1e-4, 1e-2)
        ]

    def table(self, results):
        names = list(results[0]["measures"]["by_epoch"][0])
        lines = [
            [f"{result['l2_attention']:g}", epoch, *(f"{record[name]:.4f}" for name in names)]
            for result in results
            for epoch, record in enumerate(result["measures"]["by_epoch"], 1)
            if epoch in (1, 2, 5, 10, 15, 20, 25, 30)
        ]
        counts = ", ".join(f"{n:,} {kind}" for kind, n in results[0]["measures"]["rows"].items())
        return f"Validation rows: {counts}\n\n" + markdown(["l2_attention", "epoch", *names], lines)

    def draw(self, results, axes):
        by_epoch = results[0]["measures"]["by_epoch"]
        for ax, measure, kinds in zip(
            axes, ("auc", "rmse"), (["", " new"], ["", " known", " new", " negative"])
        ):
            series = {
                f"all{kind}" if not kind else kind.strip(): [r[measure + kind] for r in by_epoch]
                for kind in kinds
            }
            curves(series, ax, NAMES[measure])


class MovieLens(Study):
    """MovieLens 100K, with attributes of users and items as fields: does a user like a film?"""

    title = "MovieLens 100K: is a film rated 4 or 5?"
    embedding_dim = 16
    n_seeds = 5
    n_panels = 2

    def runs(self, embedding_dim, seeds):
        return [
            Run(
                {"model": model, "seed": seed},
                estimator(model, "classification", embedding_dim, seed),
                ("movielens_100k", seed),
            )
            for seed in seeds
            for model in ("FM", "AFM")
        ]

    def table(self, results):
        lines = [
            [model, *(mean_and_deviation(group, m) for m in ("log_loss", "auc")), *effort(group)]
            for model, group in by(results, "model").items()
        ]
        return markdown(["model", "log loss", "AUC", *_EFFORT], lines)

    def draw(self, results, axes):
        for ax, measure in zip(axes, ("log_loss", "auc")):
            dots(results, ax, measure)


STUDIES = {
    "table-1": AttentionAlone(),
    "recipes": Recipes(),
    "table-2": Accuracy("Table 2: all systems on Frappe", 256),
    "table-2-small": Accuracy("Table 2 at k = 10", 10, ("classification",)),
    "table-2-tags": Accuracy(
        "Table 2: all systems on tags of films", 256, rows=("movielens_tags",)
    ),
    "figure-2": Sweep("Figure 2: dropout", "dropout", DROPOUTS, "dropout"),
    "figure-3": Sweep(
        "Figure 3: lambda", "l2_attention", L2_ATTENTIONS, "l2_attention (the paper's λ / n)"
    ),
    "figure-4": Sweep(
        "Figure 4: attention factor",
        "attention_dim",
        ATTENTION_DIMS,
        "attention_dim (the paper's attention factor t)",
    ),
    "figure-5": Epochs(),
    "new-pairs": NewPairs(),
    "movielens": MovieLens(),
}
