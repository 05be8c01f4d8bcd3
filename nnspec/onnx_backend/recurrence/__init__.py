"""Recurrent layers in ONNX: one operator if it is equivalent, else a ``Scan``; with arbitrary masks."""
