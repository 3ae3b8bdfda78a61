"""What the models share: base classes, players, noise, moving averages, endpoints."""
