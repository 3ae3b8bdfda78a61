"""Transforms of a dataset: attributes, domains, labeled subsets, captions, tokens."""
