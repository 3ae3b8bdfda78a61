"""The built-in dataset `shapes`: drawn objects with known factors and captions."""
