"""The policies under sb3-contrib's names: its arguments, translated into a memory spec and a critic."""

from typing import Any

from gymnasium import spaces
from stable_baselines3.common.torch_layers import CombinedExtractor, NatureCNN
from stable_baselines3.common.type_aliases import Schedule

from recurrent_rl.memory import LSTM, NoMemory
from recurrent_rl.policies.recurrent import Critic, RecurrentActorCriticPolicy


class LstmPolicy(RecurrentActorCriticPolicy):
    """sb3-contrib's RecurrentActorCriticPolicy: the LSTM arguments are its own, `policy_kwargs` are SB3's.

    Args:
        observation_space: As in RecurrentActorCriticPolicy.
        action_space: As in RecurrentActorCriticPolicy.
        lr_schedule: As in RecurrentActorCriticPolicy.
        lstm_hidden_size: Units of each LSTM layer.
        n_lstm_layers: Layers.
        shared_lstm: The critic reads the actor's LSTM without gradient.
        enable_critic_lstm: The critic has an LSTM of its own. With neither, it is feed-forward.
        lstm_kwargs: Further arguments of torch.nn.LSTM: `bias` and `dropout`.
        policy_kwargs: Arguments of RecurrentActorCriticPolicy but `memory` and `critic`.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        action_space: spaces.Space,
        lr_schedule: Schedule,
        *,
        lstm_hidden_size: int = 256,
        n_lstm_layers: int = 1,
        shared_lstm: bool = False,
        enable_critic_lstm: bool = True,
        lstm_kwargs: dict[str, Any] | None = None,
        **policy_kwargs: Any,
    ) -> None:
        if "memory" in policy_kwargs or "critic" in policy_kwargs:
            raise ValueError(
                'memory= and critic= belong to the policies "MlpRecurrentPolicy", "CnnRecurrentPolicy" and '
                '"MultiInputRecurrentPolicy"; the Lstm policies take lstm_hidden_size, shared_lstm and enable_critic_lstm.'
            )
        if shared_lstm and enable_critic_lstm:
            raise ValueError("Choose between shared_lstm=True, enable_critic_lstm=True and neither: both were given.")
        super().__init__(
            observation_space,
            action_space,
            lr_schedule,
            memory=_lstm(lstm_hidden_size, n_lstm_layers, lstm_kwargs or {}),
            critic=_critic(shared_lstm, enable_critic_lstm),
            **policy_kwargs,
        )

    @classmethod
    def _rebuilt_as(cls) -> type[RecurrentActorCriticPolicy]:
        return RecurrentActorCriticPolicy


class CnnLstmPolicy(LstmPolicy):
    """The same for images."""

    default_extractor = NatureCNN


class MultiInputLstmPolicy(LstmPolicy):
    """The same for Dict observations."""

    default_extractor = CombinedExtractor


MlpLstmPolicy = LstmPolicy


def _lstm(hidden_size: int, num_layers: int, lstm_kwargs: dict[str, Any]) -> LSTM:
    unknown = set(lstm_kwargs) - {"bias", "dropout"}
    if unknown:
        raise ValueError(f"lstm_kwargs has {sorted(unknown)}; what a policy's LSTM takes is 'bias' and 'dropout'.")
    # sb3-contrib leaves torch's own initialisation in place.
    return LSTM(
        hidden_size=hidden_size,
        num_layers=num_layers,
        recurrent_init="uniform",
        input_init="uniform",
        forget_bias=None,
        **lstm_kwargs,
    )


def _critic(shared_lstm: bool, enable_critic_lstm: bool) -> Critic:
    if shared_lstm:
        return "detached"
    return "separate" if enable_critic_lstm else NoMemory()
