#!/usr/bin/env bash
# Makes the environment of the peers, build/peers. An old one is deleted.
set -euo pipefail
cd "$(dirname "$0")/../../.."

rm -rf build/peers
"${PYTHON:-python3}" -m venv build/peers
# torch alone and with an exact version, so that pip takes a CPU build if there is one.
build/peers/bin/python -m pip install -q torch==2.13.0
# NumPy and SciPy make the rows. The peers import the other packages. The embedding layer of
# FuxiCTR imports Ray, which prepares data sets.
build/peers/bin/python -m pip install -q \
    numpy==2.4.6 scipy==1.17.1 scikit-learn==1.9.1 pandas==3.1.1 tqdm==4.70.1 \
    requests==2.34.2 PyYAML==6.0.3 h5py==3.16.0 polars==2.1.0 pyarrow==26.0.1 \
    "ray[data]==2.60.0" pydantic==2.14.3
build/peers/bin/python -m pip install -q --no-deps \
    deepctr-torch==0.3.0 torchfm==0.7.0 fuxictr==2.3.10
