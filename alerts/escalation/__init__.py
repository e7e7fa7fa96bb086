"""Who is told of what by a policy 逐级上报, step by step until somebody answers: decided without I/O."""
