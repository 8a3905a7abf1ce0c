"""What sets and photographs tell: `drawn` and `stats` sum a set up, `check` judges it, `harvest` and `kernels` learn
noise and blur from real photographs."""
