"""A policy saved alone, without its algorithm: a checkpoint of arguments and weights, without pickle."""

from typing import Any, Self

import torch
from stable_baselines3.common.policies import BasePolicy
from stable_baselines3.common.utils import get_device

from recurrent_rl.checkpoint import CheckpointError, Untrusted, read_archive, write_archive


class SavedAlone(BasePolicy):
    """Adds `save` and `load` to a policy that keeps its keyword arguments in `_arguments`."""

    _arguments: dict[str, Any]

    def save(self, path: str) -> None:
        """Write the policy alone."""
        spaces = {"observation_space": self.observation_space, "action_space": self.action_space}
        data = {**spaces, "policy_class": type(self)._rebuilt_as(), "arguments": self._arguments}
        write_archive(path, data, {"policy": self.state_dict()})

    @classmethod
    def _rebuilt_as(cls) -> type["SavedAlone"]:
        """Return the class whose constructor takes `_arguments`; subclasses may translate theirs into it."""
        return cls

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
        arguments = data["arguments"]
        for name, value in {"policy_class": data["policy_class"], **arguments}.items():
            if isinstance(value, Untrusted):
                raise CheckpointError(
                    f"{name} holds {value.description}; pass trust=True if you trust the file's author."
                )
        policy = data["policy_class"](data["observation_space"], data["action_space"], cls._dummy_schedule, **arguments)
        policy.load_state_dict(state_dicts["policy"])
        return policy.to(get_device(device))
