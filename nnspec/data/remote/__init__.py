"""Data at URLs: which URLs a spec may name, how objects are read, and the cache of what was read."""
