"""The section ``generate``: what it says, whether that fits the networks, and whose texts the tokens are."""
