"""Figures that `evaluate` writes."""
