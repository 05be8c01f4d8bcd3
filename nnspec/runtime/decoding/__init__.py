"""Decoding of sequences in NumPy, with the networks as functions."""
