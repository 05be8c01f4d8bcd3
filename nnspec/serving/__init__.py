"""Serves exported models over HTTP: the Open Inference Protocol v2, and a plain way to ask for people and scripts.

Source: the Open Inference Protocol, v2, REST, with Triton's binary tensors
(https://github.com/kserve/open-inference-protocol).
"""
