"""Parts that demos are made of: each adds its components and events to the Blocks it is called in."""
