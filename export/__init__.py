"""Tools around exported files; in the checkout only, not in the wheel.

`python -m export.zoo RUN...` exports runs in every precision and writes one table.
"""
