"""The section ``generate``: its fields, its check, and the vocabulary of its tokens."""
