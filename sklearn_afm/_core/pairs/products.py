"""Matrix products of the attention network, by the fastest public routine of torch.

In float32 on a CPU, `torch.mm` uses the BLAS library that torch was built with. If this is MKL,
CPUs of other makers than Intel get its AVX2 kernels. A 1 x 1 convolution computes the same
product, also in float32, but with oneDNN. oneDNN uses all instructions of the CPU: with AVX-512
it is about twice as fast.
"""

from collections.abc import Iterator

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.nn.grad import conv2d_weight

# Floats in one (rows, k) array of a product: a few such arrays stay in a CPU's cache. On another
# device a call costs the same whatever its size, so that chunks only limit memory.
NUMBERS_PER_CHUNK = 1 << 18
NUMBERS_PER_DEVICE_CHUNK = 1 << 24
# A product of fewer multiplications takes less time than the setup of a convolution.
MIN_CONVOLUTION_SIZE = 1 << 23
# If torch runs in one thread, it uses oneDNN only for batches of several images.
N_IMAGES = 16
# oneDNN generates code for each number of rows that it is called with, and keeps the code. So it is
# only called with whole quarters of a chunk.
CHUNK_PARTS = 4


def linear(rows: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """Compute rows @ weight.T + bias: (n_rows, k), (t, k), (t,) -> (n_rows, t)."""
    if not _convolves(rows, len(weight)):
        return F.linear(rows, weight, bias)
    return _as_rows(F.conv2d(_as_images(rows), weight[:, :, None, None], bias))


def weight_gradient(d_out: Tensor, rows: Tensor) -> Tensor:
    """Compute d_out.T @ rows: (n_rows, t), (n_rows, k) -> (t, k)."""
    t, k = d_out.shape[1], rows.shape[1]
    if not _convolves(rows, t):
        return d_out.T @ rows
    return conv2d_weight(_as_images(rows), (t, k, 1, 1), _as_images(d_out)).view(t, k)


def _convolves(rows: Tensor, n_out: int) -> bool:
    return (
        rows.dtype == torch.float32
        and rows.device.type == "cpu"
        and rows.numel() * n_out >= MIN_CONVOLUTION_SIZE
        and len(rows) % _part_length(rows.shape[1], rows.device) == 0
    )


def _as_images(rows: Tensor) -> Tensor:
    """View rows as pixels of images with channels last, without a copy."""
    return rows.view(N_IMAGES, -1, 1, rows.shape[1]).permute(0, 3, 1, 2)


def _as_rows(images: Tensor) -> Tensor:
    return images.permute(0, 2, 3, 1).reshape(-1, images.shape[1])


def chunks(length: int, numbers_each: int, device: torch.device, n_out: int = 0) -> Iterator[slice]:
    """Yield slices of a list of `length` elements, which need `numbers_each` floats each.

    If products of the elements (with `n_out` floats each) can be computed as convolutions, all
    slices but the last have lengths that allow this.
    """
    step = _chunk_length(numbers_each, device)
    whole = length
    if min(step, length) * numbers_each * n_out >= MIN_CONVOLUTION_SIZE:
        whole -= length % _part_length(numbers_each, device)
    for start in range(0, whole, step):
        yield slice(start, min(start + step, whole))
    if whole < length:
        yield slice(whole, length)


def _chunk_length(numbers_each: int, device: torch.device) -> int:
    return CHUNK_PARTS * _part_length(numbers_each, device)


def _part_length(numbers_each: int, device: torch.device) -> int:
    numbers = NUMBERS_PER_CHUNK if device.type == "cpu" else NUMBERS_PER_DEVICE_CHUNK
    n_rows = numbers // (CHUNK_PARTS * numbers_each)
    return max(1, n_rows // N_IMAGES) * N_IMAGES


class MemberLookup:
    """Look up the embeddings of a chunk's pairs, always into the same two arrays."""

    def __init__(self, embeddings: Tensor, n_pairs: int):
        n_rows = min(n_pairs, _chunk_length(embeddings.shape[1], embeddings.device))
        self._embeddings = embeddings
        self._first, self._second = embeddings.new_empty(2, n_rows, embeddings.shape[1])

    def __call__(self, first: Tensor, second: Tensor) -> tuple[Tensor, Tensor]:
        """Return the embeddings e_i and e_j of each pair of a chunk."""
        n_pairs = len(first)
        return (
            torch.index_select(self._embeddings, 0, first, out=self._first[:n_pairs]),
            torch.index_select(self._embeddings, 0, second, out=self._second[:n_pairs]),
        )
