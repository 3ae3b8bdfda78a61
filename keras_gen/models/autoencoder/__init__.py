"""Autoencoder (Hinton & Salakhutdinov 2006)."""
