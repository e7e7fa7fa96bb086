"""The physics of the city: what devices measure, a function of seed, device and time, and of what befalls them."""
