"""HTTP server for exported models: the Open Inference Protocol v2, and a simple API for people and scripts.

Source: the Open Inference Protocol v2, REST, with Triton's binary tensors
(https://github.com/kserve/open-inference-protocol).
"""
