"""Transforms of tables: attributes, domains, labeled subsets, captions and tokens."""
