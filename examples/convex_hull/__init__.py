"""Convex hulls of random points for a pointer network."""
