"""The AFM in a few lines of torch, and a plain training loop that other peers use too."""

import torch
from rows import BATCH_SIZE
from torch import nn

DROPOUT = 0.2
RATE = 0.05


def forward(model, inputs):
    """Return a function that predicts one row by the forward pass alone."""
    model.eval()

    def call():
        with torch.inference_mode():
            return model(inputs)

    return call


class SlicedModule:
    """A torch module in a plain loop. Rows are shuffled once per epoch and sliced into batches.

    A subclass has `make(k, **options)`, which returns the module. It may replace `ids_of(rows)`,
    `inputs`, `step` and `scores`.
    """

    slices = True

    def take(self, train, test):
        """Keep ids and targets as tensors."""
        self.sizes = train.field_sizes
        self.ids, self.y = torch.from_numpy(self.ids_of(train)), torch.from_numpy(train.y)
        if test is not None:
            self.test_ids = torch.from_numpy(self.ids_of(test))

    def ids_of(self, rows):
        """Return ids that start at 0 in each field."""
        return rows.local_ids

    def build(self, k, **options):
        """Make an untrained model and its optimiser, in torch's fastest form."""
        self.model = self.make(k, **options)
        self.optimizer = torch.optim.Adagrad(self.model.parameters(), lr=RATE, fused=True)

    def train(self, epochs):
        """Pass over the rows `epochs` times."""
        self.model.train()
        for _ in range(epochs):
            order = torch.randperm(len(self.ids))
            ids, y = self.ids[order], self.y[order]
            for start in range(0, len(ids), BATCH_SIZE):
                part = slice(start, start + BATCH_SIZE)
                self.step(self.inputs(ids[part]), y[part])

    def inputs(self, ids):
        """Return what the module is called with."""
        return ids

    def step(self, inputs, y):
        """Take one step on the squared loss."""
        self.optimizer.zero_grad()
        nn.functional.mse_loss(self.model(inputs), y).backward()
        self.optimizer.step()

    def scores(self, outputs):
        """Turn the module's outputs into predictions of the targets, 1 or -1."""
        return outputs

    def predict(self, slice_rows):
        """Run forward passes over slices of the test rows."""
        self.model.eval()
        with torch.inference_mode():
            outputs = [self.model(self.inputs(ids)) for ids in self.test_ids.split(slice_rows)]
            return self.scores(torch.cat(outputs)).numpy()

    def one_row(self):
        """Return the forward pass on one row."""
        return forward(self.model, self.inputs(self.test_ids[:1]))


class PlainTorch(SlicedModule):
    """The model in a few lines of torch, with arrays of shape (n_rows, n_pairs, k)."""

    packages = ("torch", "numpy")

    def ids_of(self, rows):
        """Return ids that number all columns."""
        return rows.ids

    def make(self, k):
        """Return a module with one embedding matrix for all columns."""
        return PlainModule(sum(self.sizes), len(self.sizes), k)


class PlainModule(nn.Module):
    """Bias, linear part, and products of pairs, weighted by attention (Eq. 6)."""

    def __init__(self, n_columns, n_fields, k):
        super().__init__()
        self.first, self.second = torch.triu_indices(n_fields, n_fields, 1)
        self.bias = nn.Parameter(torch.zeros(()))
        self.linear = nn.Embedding(n_columns, 1)
        self.embedding = nn.Embedding(n_columns, k)
        self.attention = nn.Linear(k, k)
        self.context = nn.Linear(k, 1, bias=False)
        self.dropout = nn.Dropout(DROPOUT)
        self.projection = nn.Linear(k, 1, bias=False)
        nn.init.zeros_(self.linear.weight)
        nn.init.normal_(self.embedding.weight, std=0.1)

    def forward(self, ids):
        """Return the raw scores of rows of ids."""
        embeddings = self.embedding(ids)
        pairs = embeddings[:, self.first] * embeddings[:, self.second]
        weight = self.context(self.attention(pairs).relu()).softmax(1)
        pooled = self.dropout((weight * pairs).sum(1))
        scores = self.linear(ids).sum(1) + self.projection(pooled)
        return self.bias + scores.squeeze(1)
