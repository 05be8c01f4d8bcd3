"""Experiment trackers: records of a training outside its run folder."""
