"""Processes that build one training step, then time batches of steps whenever they are asked to."""
