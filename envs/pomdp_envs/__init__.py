"""Partially observable Gymnasium environments, natively batched.

Importing this package registers `pomdp_envs/<Name>-v0` for `gymnasium.make` and `gymnasium.make_vec`.
"""

from pomdp_envs import classic, control, meta, popgym
from pomdp_envs.batched import BatchedEnv
from pomdp_envs.dynamics import Dynamics
from pomdp_envs.making import dynamics_of, ids, register_world
from pomdp_envs.single import SingleEnv
from pomdp_envs.wrappers import (
    Delay,
    Flicker,
    FrameDrop,
    MaskObservation,
    ObservationNoise,
    PreviousActionReward,
    Trials,
    VectorDelay,
    VectorFlicker,
    VectorFrameDrop,
    VectorMaskObservation,
    VectorObservationNoise,
    VectorPreviousActionReward,
    velocity_entries,
)

__all__ = [
    "BatchedEnv",
    "Delay",
    "Dynamics",
    "Flicker",
    "FrameDrop",
    "MaskObservation",
    "ObservationNoise",
    "PreviousActionReward",
    "SingleEnv",
    "Trials",
    "VectorDelay",
    "VectorFlicker",
    "VectorFrameDrop",
    "VectorMaskObservation",
    "VectorObservationNoise",
    "VectorPreviousActionReward",
    "classic",
    "control",
    "dynamics_of",
    "ids",
    "meta",
    "popgym",
    "register_world",
    "velocity_entries",
]
