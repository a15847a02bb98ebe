"""The POPGym suite, natively batched: the same spaces, rewards, episode lengths and ends as popgym 1.0.7.

Source: Morad, Kortvelesy, Bettini, Liwicki and Prorok (2023), "POPGym: Benchmarking Partially Observable Reinforcement
Learning".
"""
