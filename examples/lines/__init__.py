"""Lines of handwritten digits for a line reader."""
