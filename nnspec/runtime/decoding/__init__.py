"""Sequences token by token: NumPy, and two functions that are the networks, whatever runs them."""
