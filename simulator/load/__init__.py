"""Load that tells the truth: arrivals nobody slows down, latency from the intended instant, and refused figures."""
