#!/usr/bin/env bash
# Write requirements*.txt and versions.txt anew from pyproject.toml.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  uv pip compile --quiet --universal --generate-hashes --python-version 3.11 \
    --no-header --no-annotate --no-emit-index-url pyproject.toml "$@"
}
compile --output-file requirements.txt
compile --extra extras --constraint requirements.txt --output-file requirements-extras.txt
compile --extra dev --constraint requirements-extras.txt --constraint requirements.txt --output-file requirements-dev.txt

while IFS='=' read -r name _; do
  grep -oE "^$name==[^ ;\\]+" requirements.txt
done < versions.txt > versions.txt.new
mv versions.txt.new versions.txt
