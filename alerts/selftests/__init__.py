"""Self-tests 自检: when each is due, what counts as done, and what is alerted when it is not."""
