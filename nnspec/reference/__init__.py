"""The layer reference: a page per family of layers, generated from their classes, and the coverage of Keras's layers.

``layer`` and ``listing`` require no framework; ``pages`` requires Keras and ONNX.
"""
