"""Small Keras models that try ``nnspec import``: ``python -m benchmarks imports --probes``."""
