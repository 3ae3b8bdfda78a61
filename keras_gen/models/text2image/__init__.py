"""Text to image (Reed et al. 2016, arXiv:1605.05396)."""
