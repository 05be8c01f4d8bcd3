"""Exports trained networks to ONNX, and checks the exported model against Keras."""
