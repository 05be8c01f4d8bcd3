"""Runs exported models with NumPy and ONNX Runtime, without any training framework."""
