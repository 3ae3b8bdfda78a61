"""Panels of the demos: each function adds its components and events to the enclosing Blocks."""
