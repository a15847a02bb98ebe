"""A policy saved alone, without its algorithm: a checkpoint of arguments and weights, without pickle."""

from typing import Any, Self

import torch
from gymnasium import spaces
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import get_device

from recurrent_rl.checkpoint import CheckpointError, find_untrusted, read_archive, write_archive


class SavedAlone(BasePolicy):
    """Adds `save` and `load` to a policy that keeps its keyword arguments in `_arguments`."""

    _arguments: dict[str, Any]

    def save(self, path: str) -> None:
        """Write the policy alone."""
        both = {"observation_space": self.observation_space, "action_space": self.action_space}
        data = {**both, "policy_class": type(self)._rebuilt_as(), "arguments": self._arguments}
        write_archive(path, data, {"policy": self.state_dict()})

    @classmethod
    def _rebuilt_as(cls) -> type["SavedAlone"]:
        """Return the class whose constructor takes `_arguments`; subclasses may translate theirs into it."""
        return cls

    @classmethod
    def rebuild(
        cls, policy_class: Any, both_spaces: tuple[spaces.Space, spaces.Space], arguments: dict[str, Any]
    ) -> Self:
        """Return a new policy of what `save` wrote down, with weights as they are made.

        Args:
            policy_class: A policy that is saved alone.
            both_spaces: Of observations and actions.
            arguments: Its keyword arguments.

        Raises:
            CheckpointError: What is to be built is no policy, needs trust, or does not take these arguments.
        """
        for name, value in {"policy_class": policy_class, **arguments}.items():
            if (untrusted := find_untrusted(value)) is not None:
                raise CheckpointError(
                    f"{name} holds {untrusted.description}; pass trust=True if you trust the file's author."
                )
        is_policy = isinstance(policy_class, type) and issubclass(policy_class, SavedAlone)
        if not is_policy or not all(isinstance(space, spaces.Space) for space in both_spaces):
            raise CheckpointError(
                f"The file wants {policy_class} built, which is no policy of recurrent_rl over spaces."
            )
        try:
            return policy_class(*both_spaces, cls._dummy_schedule, **arguments)  # type: ignore[return-value]
        except TypeError as error:
            raise CheckpointError(f"{policy_class.__name__} does not take the file's arguments: {error}") from error

    @classmethod
    def load(cls, path: str, device: torch.device | str = "auto", trust: bool = False) -> Self:  # type: ignore[override]
        """Read what `save` wrote.

        Args:
            path: The file.
            device: Where the policy goes.
            trust: Also import classes outside the allow-list; that can run any code the file's author chose.

        Raises:
            CheckpointError: The file is damaged, foreign, or holds what only `trust` reads.
        """
        data, state_dicts = read_archive(path, trust=trust)
        if set(state_dicts) != {"policy"} or "policy_class" not in data:
            raise CheckpointError(f"{path} holds a whole model; load it with RecurrentPPO.load or RecurrentA2C.load.")
        both = data["observation_space"], data["action_space"]
        policy = cls.rebuild(data["policy_class"], both, data["arguments"])
        policy.load_state_dict(state_dicts["policy"])
        return policy.to(get_device(device))
