"""Wrappers that change what an agent sees, for single and for vector environments."""

from pomdp_envs.wrappers.delay import Delay, VectorDelay
from pomdp_envs.wrappers.flicker import Flicker, VectorFlicker
from pomdp_envs.wrappers.frame_drop import FrameDrop, VectorFrameDrop
from pomdp_envs.wrappers.mask import MaskObservation, VectorMaskObservation
from pomdp_envs.wrappers.noise import ObservationNoise, VectorObservationNoise
from pomdp_envs.wrappers.previous_action_reward import PreviousActionReward, VectorPreviousActionReward
from pomdp_envs.wrappers.trials import Trials
from pomdp_envs.wrappers.velocities import velocity_entries

__all__ = [
    "Delay",
    "Flicker",
    "FrameDrop",
    "MaskObservation",
    "ObservationNoise",
    "PreviousActionReward",
    "Trials",
    "VectorDelay",
    "VectorFlicker",
    "VectorFrameDrop",
    "VectorMaskObservation",
    "VectorObservationNoise",
    "VectorPreviousActionReward",
    "velocity_entries",
]
