"""Training for alignment: losses, the training run, and what needs no training."""
