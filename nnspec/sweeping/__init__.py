"""Searches for the values of a spec that train best."""
