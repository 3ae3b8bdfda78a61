"""Speed beside peers and results beside papers; each module writes one JSON file into benchmarks/results."""
