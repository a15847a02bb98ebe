"""Supervised sequence learning: the memories of the agents beside Transformers, convolutions, feed-forward nets and HMMs."""
