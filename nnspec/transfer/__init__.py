"""Weights of other frameworks as initial weights: their names and layouts are mapped by structure. No code in a file is run."""
