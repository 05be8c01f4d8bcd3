"""Runs exported models."""
