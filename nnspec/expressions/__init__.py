"""Expressions: their syntax, and their evaluation over params."""
