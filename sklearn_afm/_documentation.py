"""The address of the documentation, for the links in the HTML of an estimator."""

from functools import cache
from importlib import metadata


class DocumentationLink:
    """Links an estimator's HTML and its parameters to its page, as scikit-learn does for its own.

    The address is "Documentation" of the package's metadata (``project.urls`` in pyproject.toml).
    Without it there is no link.
    """

    _doc_link_module = "sklearn_afm"

    @property
    def _doc_link_template(self) -> str:
        address = _address()
        page = "/generated/{estimator_module}.{estimator_name}.html"
        return "" if address is None else address.rstrip("/") + page


@cache
def _address() -> str | None:
    try:
        urls = metadata.metadata("sklearn_afm").get_all("Project-URL") or []
    except metadata.PackageNotFoundError:  # run from a folder
        return None
    return dict(url.split(", ", 1) for url in urls).get("Documentation")
