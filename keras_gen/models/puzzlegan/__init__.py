"""Puzzle-GAN (Lee et al. 2017, arXiv:1703.10730)."""
