"""The settings of rl-baselines3-zoo for recurrent PPO where velocities are hidden.

Source: rl_zoo3 2.9.2, hyperparams/ppo_lstm.yml. `normalize: True` there is VecNormalize with the same discount.
"""

from dataclasses import dataclass
from typing import Any

from torch import nn


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One environment's settings, the same for both libraries."""

    environment: str
    gymnasium_id: str
    visible: tuple[int, ...]  # components of Gymnasium's observation that are not velocities
    steps: int
    n_envs: int
    published: float  # the zoo's benchmark figure
    arguments: dict[str, Any]
    schedules: dict[str, float]  # linear from this value to 0


_LARGE = {
    "ortho_init": False,
    "activation_fn": nn.ReLU,
    "lstm_hidden_size": 64,
    "enable_critic_lstm": True,
    "net_arch": {"pi": [64], "vf": [64]},
}
_SMALL = {
    "log_std_init": 0.0,
    "ortho_init": False,
    "lstm_hidden_size": 32,
    "enable_critic_lstm": True,
    "net_arch": {"pi": [64], "vf": [64]},
}

SETTINGS = (
    Setting(
        environment="CartPoleNoVel",
        gymnasium_id="CartPole-v1",
        visible=(0, 2),
        steps=100_000,
        n_envs=8,
        published=500.0,
        arguments={
            "n_steps": 32,
            "batch_size": 256,
            "gae_lambda": 0.8,
            "gamma": 0.98,
            "n_epochs": 20,
            "ent_coef": 0.0,
            "policy_kwargs": _LARGE,
        },
        schedules={"learning_rate": 1e-3, "clip_range": 0.2},
    ),
    Setting(
        environment="PendulumNoVel",
        gymnasium_id="Pendulum-v1",
        visible=(0, 1),
        steps=100_000,
        n_envs=4,
        published=-217.9,
        arguments={
            "n_steps": 1024,
            "gae_lambda": 0.95,
            "gamma": 0.9,
            "n_epochs": 10,
            "ent_coef": 0.0,
            "learning_rate": 1e-3,
            "clip_range": 0.2,
            "use_sde": True,
            "sde_sample_freq": 4,
            "policy_kwargs": _LARGE,
        },
        schedules={},
    ),
    Setting(
        environment="MountainCarContinuousNoVel",
        gymnasium_id="MountainCarContinuous-v0",
        visible=(0,),
        steps=300_000,
        n_envs=8,
        published=91.5,
        arguments={
            "n_steps": 1024,
            "batch_size": 256,
            "ent_coef": 0.00429,
            "learning_rate": 7.77e-5,
            "clip_range": 0.1,
            "gae_lambda": 0.9,
            "gamma": 0.9999,
            "n_epochs": 10,
            "max_grad_norm": 5,
            "vf_coef": 0.19,
            "use_sde": True,
            "sde_sample_freq": 8,
            "policy_kwargs": _SMALL,
        },
        schedules={},
    ),
)
