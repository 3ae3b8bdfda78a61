"""Caches of downloaded, rendered and decoded images."""
