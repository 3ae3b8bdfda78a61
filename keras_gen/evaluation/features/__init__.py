"""Feature extractors of images and of captions."""
