"""Models of other packages, built small with random weights, for ``python -m benchmarks imports --source``."""
