"""StarGAN (Choi et al. 2018, arXiv:1711.09020)."""
