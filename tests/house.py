"""The floors of the package, and the drawing of them in docs/contributing.

    python tests/house.py > docs/contributing/house.svg

A file may import from lower floors, and from its own floor if no circle arises.
"""

from html import escape

# From the top to the ground: the rooms of a floor (folders, or files), and what they own.
FLOORS = [
    (["experiments", "__main__.py"], "the paper's tables and figures; the demonstration"),
    (["__init__.py"], "what is imported from sklearn_afm"),
    (["export"], "fitted pipelines as files for services"),
    (["baselines", "dask"], "the models that AFM is compared with; fits on a Dask cluster"),
    (["_afm.py", "_fm.py", "_fitting.py", "_scaling.py"], "a model and its two estimators each"),
    (["_base.py", "_block_fitting.py", "_bayesian_base.py"], "fit, partial_fit, raw scores"),
    (["_fit"], "the order of a fit, from checked rows to fitted attributes"),
    (["inspection", "recommendation"], "explanations, and the best items, of a fitted estimator"),
    (
        [
            "_raw_scores.py",
            "_joined_scores.py",
            "_attributes.py",
            "_docstrings.py",
            "_stored_models.py",
        ],
        "fitted attributes, raw scores, docstrings, models of earlier versions",
    ),
    (["_tasks.py"], "what regression and classification make of y"),
    (["_settings.py", "_shared_settings.py"], "constructor parameters, each once"),
    (["_bayes"], "draws of a posterior: blocks, priors, likelihoods, the sampler"),
    (["_linear"], "the linear part: strengths by field, and crosses"),
    (["scorer"], "scores of rows by NumPy alone"),
    (["_data"], "what comes in: checks, weights, units"),
    (["_fields"], "from the columns of a frame to one-hot rows"),
    (["_core/training"], "optimisers, steps, epochs"),
    (["_core/models"], "the contract of a model; prediction"),
    (["_core/pairs", "_core/losses"], "pairs and attention; losses"),
    (
        [
            "_core/batches",
            "_core/tensors.py",
            "_core/ranks.py",
            "_core/devices.py",
            "_core/capacity.py",
            "_core/__init__.py",
        ],
        "rows as rectangles of numbers",
    ),
    (
        [
            "_compat.py",
            "_documentation.py",
            "_groups.py",
            "_negatives.py",
            "metrics.py",
            "exceptions.py",
            "datasets",
            "blocks",
        ],
        "scikit-learn's private names; files; metrics of rankings",
    ),
]
# Files that only hold a docstring, or say where something of stored models has moved.
UNDRAWN = ("_fitting.py", "_scaling.py", "_core/__init__.py")

WIDTH, HEIGHT, GAP, MARGIN = 560, 44, 14, 14
STYLE = """
.card { fill: #fbfbf9; stroke: #9a9a94; }
.box { fill: #ffffff; stroke: #55554f; stroke-width: 1.2; }
.core { fill: #e9f0f7; stroke: #2f5d8a; stroke-width: 1.2; }
.name { font: 600 13px ui-monospace, monospace; fill: #1c1c1a; }
.say { font-size: 12px; fill: #44443f; }
.arrow { stroke: #55554f; stroke-width: 1.4; }
"""


def floor_of(name: str) -> int:
    """Number of the floor of a file, from the top. Other files at the top are models."""
    for number, (rooms, _) in enumerate(FLOORS):
        if any(name == room or name.startswith(f"{room}/") for room in rooms):
            return number
    if "/" in name:
        raise KeyError(f"{name} is on no floor: add it to FLOORS")
    return floor_of("_afm.py")


def drawing() -> str:
    """The floors as SVG."""
    height = len(FLOORS) * (HEIGHT + GAP) - GAP + 2 * MARGIN
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" '
        'aria-labelledby="t d" font-family="system-ui, sans-serif">',
        '<title id="t">The floors of sklearn_afm</title>',
        '<desc id="d">A file imports from its own floor and from floors below it only.</desc>',
        f"<style>{STYLE}</style>",
        f'<rect class="card" width="{WIDTH}" height="{height}" rx="8"/>',
    ]
    for number, (rooms, owns) in enumerate(FLOORS):
        top = MARGIN + number * (HEIGHT + GAP)
        kind = "core" if rooms[0].startswith("_core") else "box"
        names = "   ".join(room.removesuffix(".py") for room in rooms if room not in UNDRAWN)
        if number:
            lines.append(f'<path class="arrow" d="M{WIDTH // 2} {top - GAP} V{top}"/>')
        lines += [
            f'<rect class="{kind}" x="{MARGIN}" y="{top}" width="{WIDTH - 2 * MARGIN}" '
            f'height="{HEIGHT}" rx="4"/>',
            f'<text class="name" x="{MARGIN + 10}" y="{top + 18}">{escape(names)}</text>',
            f'<text class="say" x="{MARGIN + 10}" y="{top + 35}">{escape(owns)}</text>',
        ]
    return "\n".join([*lines, "</svg>", ""])


if __name__ == "__main__":
    print(drawing(), end="")
