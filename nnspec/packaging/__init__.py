"""Writes what the field's serving engines deploy: a Triton repository, a KServe service, a container."""
