"""Rows in files, block by block, for ``fit_blocks``."""

from ._csr import CSRBlocks, save_csr_block
from ._parquet import ParquetBlocks
from ._svmlight import SvmlightBlocks

__all__ = ["CSRBlocks", "ParquetBlocks", "SvmlightBlocks", "save_csr_block"]
