#!/usr/bin/env bash
# Makes the environment of the peers, build/peers, from nothing.
set -euo pipefail
cd "$(dirname "$0")/../../.."

rm -rf build/peers
"${PYTHON:-python3}" -m venv build/peers
# torch alone and exact, so that a CPU build is taken where one is offered.
build/peers/bin/python -m pip install -q torch==2.13.0
# The rows come from NumPy and SciPy; the other packages are what the peers import.
# FuxiCTR imports Ray, for the preparation of data sets, with its embedding layer.
build/peers/bin/python -m pip install -q \
    numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 pandas==3.1.1 tqdm==4.70.1 \
    requests==2.34.2 PyYAML==6.0.3 h5py==3.16.0 polars==2.1.0 pyarrow==26.0.1 \
    "ray[data]==2.60.0" pydantic==2.14.3
build/peers/bin/python -m pip install -q --no-deps \
    deepctr-torch==0.3.0 torchfm==0.7.0 fuxictr==2.3.10
