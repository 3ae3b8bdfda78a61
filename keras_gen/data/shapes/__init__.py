"""The built-in dataset `shapes`: its factors, renderer, captions and splits."""
