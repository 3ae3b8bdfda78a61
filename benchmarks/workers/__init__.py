"""Processes that build one training step and time it on request."""
