"""InfoGAN (Chen et al. 2016, arXiv:1606.03657)."""
