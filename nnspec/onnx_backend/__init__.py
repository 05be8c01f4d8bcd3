"""Lowers a typed graph to ONNX, and proves that it computes the same."""
