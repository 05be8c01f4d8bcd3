"""How well a classifier with few labels does on the vectors of a network: ``python -m examples.few_labels RUN…``."""
