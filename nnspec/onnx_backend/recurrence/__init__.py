"""Recurrent layers in ONNX: as one operator where it computes the same, else as a ``Scan``; with masks of every kind."""
