"""Public implementations as contestants: python peers.py NAME THREADS (started by arena.py).

It runs in the environment that make_peers.sh makes. All peers train with squared loss or log loss,
batches of 512 rows, dropout of 0.2 on the pooled vector, and Adagrad at a rate of 0.05.
"""

import sys
from collections import OrderedDict

import numpy as np
import serving
import torch
from plain_torch import DROPOUT, RATE, PlainTorch, SlicedModule, forward
from rows import BATCH_SIZE, HIDDEN_LAYER_SIZES
from torch import nn

# The first optimiser makes torch import modules. Their memory must not count for a model.
torch.optim.Adagrad([torch.zeros(1)])


class DeepCTR:
    """DeepCTR-Torch's models as shipped, called by their own fit and predict."""

    packages = ("deepctr-torch", "torch", "numpy")
    slices = True

    def __init__(self):
        import requests

        # When imported, the library would ask the package index for a newer version.
        requests.get = None
        from deepctr_torch.inputs import SparseFeat
        from deepctr_torch.models import AFM, NFM, WDL, DeepFM

        self.SparseFeat = SparseFeat
        self.models = {"AFM": AFM, "NFM": NFM, "Wide&Deep": WDL, "DeepFM": DeepFM}

    def take(self, train, test):
        """Keep the rows as a dict of id arrays. Ids start at 0 in each field."""
        self.sizes = train.field_sizes
        self.x, self.y = self._columns(train), train.y
        if test is not None:
            self.x_test = self._columns(test)

    def _columns(self, rows):
        return {f"f{i}": ids.copy() for i, ids in enumerate(rows.local_ids.T)}

    def build(self, k, model="AFM"):
        """Make an untrained model with default penalties."""
        sizes = enumerate(self.sizes)
        fields = [self.SparseFeat(f"f{i}", size, embedding_dim=k) for i, size in sizes]
        options = {
            "AFM": {"attention_factor": k, "afm_dropout": DROPOUT},
            "NFM": {"bi_dropout": DROPOUT},
        }.get(model, {"dnn_dropout": DROPOUT})
        if model in HIDDEN_LAYER_SIZES:
            options["dnn_hidden_units"] = HIDDEN_LAYER_SIZES[model]
        self.model = self.models[model](fields, fields, task="regression", **options)
        self.model.compile(torch.optim.Adagrad(self.model.parameters(), lr=RATE), "mse")

    def train(self, epochs):
        """Call its fit."""
        self.model.fit(self.x, self.y, batch_size=BATCH_SIZE, epochs=epochs, verbose=0)

    def predict(self, slice_rows):
        """Call its predict."""
        return self.model.predict(self.x_test, slice_rows).ravel()

    def one_row(self):
        """Return the forward pass on one row, in the form that fit uses."""
        row = torch.tensor([[float(ids[0]) for ids in self.x_test.values()]])
        return forward(self.model, row)


class TorchFM(SlicedModule):
    """A module of torchfm. It ends in a sigmoid, so it is trained with log loss on 0 and 1."""

    packages = ("torchfm", "torch", "numpy")

    def __init__(self):
        np.long = np.int64  # NumPy removed this name, but the library uses it
        from torchfm.model import afm, dfm, ffm, fm, nfm, wd

        self.models = {
            "AFM": lambda k, _: afm.AttentionalFactorizationMachineModel(
                self.sizes, k, k, (0.0, DROPOUT)
            ),
            "FM": lambda k, _: fm.FactorizationMachineModel(self.sizes, k),
            "FFM": lambda k, _: ffm.FieldAwareFactorizationMachineModel(self.sizes, k),
            "NFM": lambda k, layers: nfm.NeuralFactorizationMachineModel(
                self.sizes, k, layers, (DROPOUT, 0.0)
            ),
            "Wide&Deep": lambda k, layers: wd.WideAndDeepModel(self.sizes, k, layers, DROPOUT),
            "DeepFM": lambda k, layers: dfm.DeepFactorizationMachineModel(
                self.sizes, k, layers, DROPOUT
            ),
        }

    def make(self, k, model="AFM"):
        """Return the module as shipped."""
        return self.models[model](k, HIDDEN_LAYER_SIZES.get(model))

    def step(self, inputs, y):
        """Take one step on the log loss."""
        self.optimizer.zero_grad()
        nn.functional.binary_cross_entropy(self.model(inputs), (y + 1) / 2).backward()
        self.optimizer.step()

    def scores(self, outputs):
        """Turn probabilities into expected targets, from -1 to 1."""
        return 2 * outputs - 1

    def train(self, epochs):
        """Train as the others do, with dropout."""
        if hasattr(self.model, "afm"):
            self.model.afm.dropouts = (0.0, DROPOUT)
        super().train(epochs)

    def predict(self, slice_rows):
        """Predict as the others do. Its dropout ignores `eval()`, so it is turned off by hand."""
        self.model.afm.dropouts = (0.0, 0.0)
        return super().predict(slice_rows)

    def one_row(self):
        """Return the forward pass on one row, without dropout."""
        self.model.afm.dropouts = (0.0, 0.0)
        return super().one_row()


class FuxiCTR(SlicedModule):
    """An AFM of FuxiCTR's layers, trained by its own train_step.

    Its wheel has the layers but not the AFM, so the AFM is built here. Its data loader is not
    used, which is to its advantage.
    """

    packages = ("fuxictr", "torch", "numpy")

    def __init__(self):
        from fuxictr.features import FeatureMap

        self.FeatureMap, self.AFM = FeatureMap, _fuxi_model()

    def build(self, k):
        """Make the model, which has its own optimiser."""
        feature_map = self.FeatureMap("rows", "")
        feature_map.features = OrderedDict(
            (f"f{i}", {"type": "categorical", "source": "", "vocab_size": size})
            for i, size in enumerate(self.sizes)
        )
        feature_map.labels = ["label"]
        self.model = self.AFM(feature_map, k)

    def inputs(self, ids):
        """Return a dict of one id tensor per field."""
        return {f"f{i}": column for i, column in enumerate(ids.unbind(1))}

    def step(self, inputs, y):
        """Call its step on a dict of inputs and label."""
        self.model.train_step(inputs | {"label": y})

    def predict(self, slice_rows):
        """Run forward passes over slices of the test rows."""
        self.model.eval()
        with torch.inference_mode():
            parts = self.test_ids.split(slice_rows)
            outputs = [self.model(self.inputs(ids))["y_pred"] for ids in parts]
            return torch.cat(outputs).ravel().numpy()


def _fuxi_model():
    from fuxictr.pytorch.layers import FeatureEmbedding, InnerProductInteraction, LogisticRegression
    from fuxictr.pytorch.models import BaseModel

    class AFM(BaseModel):
        """Linear part, and attention over the element-wise products of pairs."""

        def __init__(self, feature_map, k):
            super().__init__(
                feature_map, task="regression", verbose=0, model_root="", metrics=["MSE"]
            )
            n_fields = len(feature_map.features)
            self.embedding = FeatureEmbedding(feature_map, k)
            self.linear = LogisticRegression(feature_map)
            self.products = InnerProductInteraction(n_fields, output="elementwise_product")
            self.attention = nn.Sequential(
                nn.Linear(k, k), nn.ReLU(), nn.Linear(k, 1, bias=False), nn.Softmax(dim=1)
            )
            self.dropout = nn.Dropout(DROPOUT)
            self.projection = nn.Linear(k, 1, bias=False)
            self.compile("Adagrad", "mse_loss", RATE)
            self.reset_parameters()
            self._max_gradient_norm = 10.0  # fit would set it to this default

        def forward(self, inputs):
            X = self.get_inputs(inputs)
            products = self.products(self.embedding(X))
            pooled = (self.attention(products) * products).sum(1)
            return {"y_pred": self.linear(X) + self.projection(self.dropout(pooled))}

    return AFM


PEERS = {
    "DeepCTR-Torch": DeepCTR,
    "torchfm": TorchFM,
    "FuxiCTR": FuxiCTR,
    "plain torch": PlainTorch,
}

if __name__ == "__main__":
    serving.serve(PEERS[sys.argv[1]], int(sys.argv[2]))
