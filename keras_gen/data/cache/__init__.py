"""The caches of downloaded, drawn and decoded images."""
