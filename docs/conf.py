"""Sphinx's settings: `sphinx-build -W --keep-going -b html docs build/docs`."""

import logging
import re
import shutil
from pathlib import Path

from docutils import nodes
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx import addnodes

import sklearn_afm

HERE = Path(__file__).parent

# The notebooks stand beside docs/, and Sphinx reads below it only. Their links to pages here are
# one folder shorter from the copies.
shutil.rmtree(HERE / "notebooks", ignore_errors=True)
(HERE / "notebooks").mkdir()
for notebook in sorted((HERE.parent / "notebooks").glob("*.ipynb")):
    text = notebook.read_text(encoding="utf-8").replace("](../docs/", "](../")
    (HERE / "notebooks" / notebook.name).write_text(text, encoding="utf-8")

project = "sklearn_afm"
version = release = sklearn_afm.__version__

extensions = [
    "matplotlib.sphinxext.plot_directive",
    "myst_nb",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx_copybutton",
    "sphinx_design",
]
templates_path = ["_templates"]
nitpicky = True
# Words of numpydoc's type descriptions that are no references.
nitpick_ignore_regex = [("py:class", r"(optional|default.*|array-like.*|.*ndarray.*)")]

# Some sections may be empty (notebooks/, say); suppress_warnings cannot name that warning.
logging.getLogger("sphinx.sphinx.directives.other").addFilter(
    lambda record: getattr(record, "subtype", None) != "empty_glob"
)

# Pages

myst_enable_extensions = ["attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_excludepatterns = ["notebooks/*"]  # shown as they are committed
nb_execution_raise_on_error = True
nb_execution_timeout = 300
nb_merge_streams = True

# API reference

autosummary_generate = True
autodoc_member_order = "bysource"
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_use_plots = True  # examples that import matplotlib show what they draw
plot_include_source = True
plot_html_show_source_link = plot_html_show_formats = False
plot_formats = [("png", 150)]

# Look

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = "sklearn_afm"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_sidebars = {
    page: []
    for page in ("index", "getting_started", "explanations", "study", "notebooks", "search")
}
html_copy_source = False
html_domain_indices = False
html_theme_options = {
    "logo": {"text": "sklearn_afm"},
    "show_prev_next": True,
    "show_toc_level": 2,
    "navbar_align": "left",
    "header_links_before_dropdown": 6,
    "footer_start": ["copyright"],
    "footer_end": [],
    "secondary_sidebar_items": ["page-toc"],
}
copyright = "the sklearn_afm developers, BSD 3-Clause"


# Numbers with sign, unit and what stands in brackets behind them, such as "12.7 s / 0.04 s".
NUMBER = re.compile(r"([<>~+-]?\.?\d[\d.,]*\s?(%|s|ms|µs|x|MiB|GiB)?(\s*\([^)]*\))?( / |, |$)?)+|-")


def own_members_only(app, what, name, obj, skip, options):
    """Leave out what scikit-learn's base classes bring: their texts refer to its own manual."""
    owner = getattr(obj, "__module__", None) or ""
    return skip or (what == "class" and owner.split(".")[0] != "sklearn_afm")


def link_to_scikit_learn(app, env, node, contnode):
    """Turn a reference to scikit-learn's API into a link to its page, without a network."""
    target = node.get("reftarget", "")
    if not target.startswith("sklearn."):
        return None
    address = f"https://scikit-learn.org/stable/modules/generated/{target}.html"
    return nodes.reference("", "", contnode, internal=False, refuri=address)


def align_numbers(app, doctree):
    """Mark columns of numbers in Markdown's tables, which the style sheet aligns to the right."""
    for table in doctree.findall(nodes.tgroup):
        body = [row.children for row in table.findall(nodes.row) if row.parent.tagname == "tbody"]
        for position, cells in enumerate(zip(*body)):
            texts = [text for text in (cell.astext().strip() for cell in cells) if text]
            if texts and all(map(NUMBER.fullmatch, texts)):
                for row in table.findall(nodes.row):
                    row[position]["classes"].append("number")


def describe_drawn(app, doctree):
    """Give the picture that a docstring's example draws the docstring's first line as its text."""
    for described in doctree.findall(addnodes.desc_content):
        for image in described.findall(nodes.image):
            image["alt"] = next(described.findall(nodes.paragraph)).astext().replace("\n", " ")


def write_math(translator, node):
    """Write an equation as MathML, which browsers show without a script."""
    as_block = isinstance(node, nodes.math_block)
    formula = tex2mathml(node.astext(), as_block=as_block)
    translator.body.append(f'<div class="math-block">{formula}</div>' if as_block else formula)
    raise nodes.SkipNode


def setup(app):
    """Connect the functions above."""
    app.connect("autodoc-skip-member", own_members_only)
    app.connect("doctree-read", align_numbers)
    app.connect("doctree-read", describe_drawn)
    app.connect("missing-reference", link_to_scikit_learn)
    app.add_html_math_renderer("mathml", (write_math, None), (write_math, None))
