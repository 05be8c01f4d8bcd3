"""The reference: a page for each family of layers, written from their classes, and which of Keras's layers are here.

``layer`` and ``listing`` need no framework; ``pages`` needs Keras and ONNX.
"""
