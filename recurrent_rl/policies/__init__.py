"""Feature extractor -> memory -> heads, as Stable-Baselines3 policies."""

from recurrent_rl.policies.acting import Act, act_through_rollout
from recurrent_rl.policies.features import MLPFeatures
from recurrent_rl.policies.lstm import CnnLstmPolicy, LstmPolicy, MlpLstmPolicy, MultiInputLstmPolicy
from recurrent_rl.policies.recurrent import (
    Critic,
    RecurrentActorCriticCnnPolicy,
    RecurrentActorCriticPolicy,
    RecurrentMultiInputActorCriticPolicy,
)

__all__ = [
    "Act",
    "CnnLstmPolicy",
    "Critic",
    "LstmPolicy",
    "MLPFeatures",
    "MlpLstmPolicy",
    "MultiInputLstmPolicy",
    "RecurrentActorCriticCnnPolicy",
    "RecurrentActorCriticPolicy",
    "RecurrentMultiInputActorCriticPolicy",
    "act_through_rollout",
]
