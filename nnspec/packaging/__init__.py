"""Packages models for serving: a Triton repository, a KServe service, a container image."""
