"""Reinforcement-learning agents that remember."""
