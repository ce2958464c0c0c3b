"""Training: optimisers, steps, epochs, the running average."""
