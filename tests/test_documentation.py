"""Links from an estimator's HTML to its page: to the address in the metadata, or none."""

import html
import inspect
import re

import pytest
import sklearn
from sklearn.utils import estimator_html_repr
from sklearn.utils.fixes import parse_version

from sklearn_afm import AFMClassifier, BayesianFMRegressor, FieldEncoder, _documentation
from sklearn_afm.baselines import DeepFMClassifier

LINK = re.compile(r'class="param-doc-link".*?href="(.*?)"', re.S)
TOOLTIP = re.compile(r'<span class="param-doc-description"[^>]*>\s*(.*?)</span>', re.S)

NAMES = {
    AFMClassifier: "sklearn_afm.AFMClassifier",
    BayesianFMRegressor: "sklearn_afm.BayesianFMRegressor",
    FieldEncoder: "sklearn_afm.FieldEncoder",
    DeepFMClassifier: "sklearn_afm.baselines.DeepFMClassifier",
}


class OfAUser(AFMClassifier):
    """It has no page."""


class Metadata(dict):
    def get_all(self, name):
        return self.get(name)


@pytest.fixture
def with_urls(monkeypatch):
    """Set the addresses of the package's metadata."""

    def set_urls(*urls):
        found = Metadata({"Project-URL": list(urls)} if urls else {})
        monkeypatch.setattr(_documentation.metadata, "metadata", lambda name: found)
        _documentation._address.cache_clear()

    yield set_urls
    _documentation._address.cache_clear()


@pytest.mark.parametrize("address", ["https://afm.example/stable", "https://afm.example/stable/"])
@pytest.mark.parametrize("Estimator", NAMES)
def test_the_link_is_to_the_page(Estimator, address, with_urls):
    with_urls("Paper, https://paper.example", f"Documentation, {address}")
    page = f"https://afm.example/stable/generated/{NAMES[Estimator]}.html"
    assert Estimator()._get_doc_link() == page
    assert page in estimator_html_repr(Estimator())
    assert OfAUser()._get_doc_link() == ""


@pytest.mark.parametrize("urls", [(), ("Paper, https://paper.example",)])
@pytest.mark.parametrize("Estimator", NAMES)
def test_without_an_address_there_is_no_link(Estimator, urls, with_urls):
    with_urls(*urls)
    assert Estimator()._get_doc_link() == ""
    assert "generated/" not in estimator_html_repr(Estimator())


def test_a_package_that_is_not_installed_has_none(monkeypatch, with_urls):
    def missing(name):
        raise _documentation.metadata.PackageNotFoundError(name)

    with_urls()
    monkeypatch.setattr(_documentation.metadata, "metadata", missing)
    assert AFMClassifier()._get_doc_link() == ""


@pytest.mark.skipif(
    parse_version(sklearn.__version__) < parse_version("1.8"), reason="no tooltips before 1.8"
)
@pytest.mark.parametrize("Estimator", [AFMClassifier, FieldEncoder])
def test_each_parameter_has_a_tooltip_and_a_link(Estimator, with_urls):
    with_urls("Documentation, https://afm.example/stable")
    page = f"https://afm.example/stable/generated/{NAMES[Estimator]}.html"
    shown, docs = estimator_html_repr(Estimator()), " ".join(inspect.getdoc(Estimator).split())
    assert {link.partition("#")[0] for link in LINK.findall(shown)} == {page}
    found = {tooltip.split(":")[0]: tooltip for tooltip in TOOLTIP.findall(shown)}
    assert found.keys() == Estimator().get_params().keys()
    for name, tooltip in found.items():
        text = " ".join(html.unescape(tooltip.replace("<br>", " ")).split())
        assert len(text) > len(name) + 30
        assert text.replace(f"{name}: ", f"{name} : ", 1) in docs


@pytest.mark.parametrize("Estimator", [AFMClassifier, FieldEncoder])
def test_no_address_no_link_of_a_parameter(Estimator, with_urls):
    with_urls()
    assert not LINK.findall(estimator_html_repr(Estimator()))
