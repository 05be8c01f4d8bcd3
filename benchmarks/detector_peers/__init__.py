"""Detectors of other libraries on the same scenes; they run without nnspec, in an environment of their own."""
