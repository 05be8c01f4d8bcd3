"""Graphs with smaller numbers: weights in float16, and layers in 8-bit integers."""
