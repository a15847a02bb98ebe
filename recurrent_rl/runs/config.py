"""What a run is: one frozen dataclass, from which the command line, config.json and the model are made."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import torch
from gymnasium import spaces
from stable_baselines3.common.preprocessing import is_image_space
from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from recurrent_rl.algorithms import RecurrentA2C, RecurrentPPO
from recurrent_rl.memory import MemorySpec
from recurrent_rl.runs.fields import check_range, check_types, read_json, to_json
from recurrent_rl.runs.memories import make_memory, plain_fields
from recurrent_rl.vector import as_vec_env

Model = RecurrentPPO | RecurrentA2C


# Short chunks, several to a minibatch: many times faster than the algorithms' own defaults, and they learn.
DEFAULTS: dict[str, dict[str, Any]] = {
    "ppo": {"n_steps": 128, "batch_size": 256, "n_epochs": 10, "learning_rate": 1e-3, "gae_lambda": 0.95},
    "a2c": {"n_steps": 32, "learning_rate": 1e-3, "gae_lambda": 0.9},
}
HORIZON = 32  # where it divides n_steps
_COUNTS = (
    "steps", "n_envs", "n_steps", "batch_size", "n_epochs", "bptt_horizon", "threads",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A training run. What is None takes a value that suits the algorithm (see DEFAULTS).

    Raises:
        ValueError: A value is of the wrong type or out of range; the message names the field.
    """

    env: str = "pomdp_envs/CartPoleNoVel-v0"
    """Environment id; the package before the slash is imported."""
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    """Arguments of the environment, by name."""
    algo: Literal["ppo", "a2c"] = "ppo"
    """Algorithm."""
    memory: str = "gru"
    """What the policy remembers with; "window" stacks the last observations, "none" is the memoryless control."""
    memory_fields: dict[str, Any] = field(default_factory=dict)
    """Fields of the memory that are not to have their defaults, by name; completed by the defaults."""
    critic: Literal["shared", "detached", "separate"] = "shared"
    """The critic reads the actor's memory with or without gradient, or has one of its own."""
    policy: str = "MlpRecurrentPolicy"
    """MlpRecurrentPolicy, CnnRecurrentPolicy or MultiInputRecurrentPolicy."""
    steps: int = 200_000
    """Environment steps in total, over all columns."""
    n_envs: int = 16
    """Columns of the vector environment."""
    n_steps: int | None = None
    """Rows of a rollout; None is 128 (ppo) or 32 (a2c)."""
    batch_size: int | None = None
    """Rows of a minibatch, rounded to whole chunks of bptt_horizon rows (ppo); None is 256."""
    n_epochs: int | None = None
    """Passes over each rollout (ppo); None is 10."""
    bptt_horizon: int | None = None
    """Rows through which gradients flow; divides n_steps; None is 32 where that does."""
    learning_rate: float | None = None
    """Learning rate at the start; None is 0.001."""
    anneal: bool = True
    """Let the learning rate fall linearly, to zero after the last update."""
    gamma: float = 0.99
    """Discount per step."""
    gae_lambda: float | None = None
    """Trace of the advantage estimate; None is 0.95 (ppo) or 0.9 (a2c)."""
    ent_coef: float = 0.0
    """Weight of the entropy bonus."""
    use_sde: bool = False
    """State-dependent exploration (continuous actions)."""
    normalize: bool = True
    """Normalise rewards, and observations that are numbers (no images), by running statistics."""
    seed: int = 0
    """Seed of everything."""
    device: str = "auto"
    """auto, cpu, cuda or cuda:N."""
    threads: int = 1
    """CPU threads of torch; small networks are fastest with one."""

    def __post_init__(self) -> None:
        check_types(self)
        object.__setattr__(self, "memory_fields", plain_fields(self.memory, self.memory_fields))
        check_range(self, _COUNTS, low=1)
        check_range(self, ("gamma", "gae_lambda"), low=0, high=1)
        check_range(self, ("seed",), low=0, high=2**32 - 1)  # what NumPy takes
        if self.learning_rate is not None and not 0 < self.learning_rate < math.inf:
            raise ValueError(f"learning_rate={self.learning_rate} must be positive.")
        if not math.isfinite(self.ent_coef):
            raise ValueError(f"ent_coef={self.ent_coef} must be a finite number.")
        if self.policy not in (known := self.algorithm().policy_aliases):
            raise ValueError(f"policy={self.policy} must be one of {', '.join(known)}.")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ValueError(f"device={self.device} must be auto, cpu, cuda or cuda:N with the number of a GPU.")

    def memory_spec(self) -> MemorySpec:
        """Return the memory that `memory` names."""
        return make_memory(self.memory, self.memory_fields)

    def make_env(self, n_envs: int, seed: int) -> VecEnv:
        """Make the environment, with the normaliser where `normalize` says so.

        It normalises rewards, and those observations (or entries of a Dict) that are Boxes and not images: a policy
        scales images itself, and what Discrete and MultiBinary give are names, not amounts.
        """
        env = as_vec_env(self.env, n_envs=n_envs, seed=seed, env_kwargs=self.env_kwargs)
        if not self.normalize:
            return env
        space = env.observation_space
        if isinstance(space, spaces.Dict):
            keys = [key for key, entry in space.spaces.items() if _is_normalised(entry)]
            return VecNormalize(env, norm_obs=bool(keys), norm_obs_keys=keys, gamma=self.gamma)
        return VecNormalize(env, norm_obs=_is_normalised(space), gamma=self.gamma)

    def make_model(self) -> Model:
        """Build the model and its environment.

        Raises:
            ValueError: The fields do not fit each other or the environment.
        """
        env = self.make_env(self.n_envs, self.seed)
        if self.policy.startswith("Cnn") and not is_image_space(env.observation_space):
            raise ValueError(f"policy={self.policy} reads images (uint8, 0 to 255), not {env.observation_space}.")
        if self.device.startswith("cuda") and not torch.cuda.is_available():
            raise ValueError(f"device={self.device}, but torch finds no GPU here; take cpu or auto.")
        given = {
            name: default if getattr(self, name) is None else getattr(self, name)
            for name, default in DEFAULTS[self.algo].items()
        }
        fitting = HORIZON if given["n_steps"] % HORIZON == 0 else None
        given["bptt_horizon"] = fitting if self.bptt_horizon is None else self.bptt_horizon
        if self.anneal:
            given["learning_rate"] = self._falling(given["n_steps"], given["learning_rate"])
        return self.algorithm()(
            self.policy,
            env,
            gamma=self.gamma,
            ent_coef=self.ent_coef,
            use_sde=self.use_sde,
            seed=self.seed,
            device=self.device,
            memory=self.memory_spec(),
            policy_kwargs={"critic": self.critic},
            **given,
        )

    def _falling(self, n_steps: int, learning_rate: float) -> LinearSchedule:
        """Return a schedule by progress, which an update reads after its rollout: the last one must not find zero."""
        last = min(1.0, n_steps * self.n_envs / self.steps)
        return LinearSchedule(learning_rate, learning_rate * last, 1.0)

    def algorithm(self) -> type[Model]:
        """Return the class that `algo` names."""
        return RecurrentPPO if self.algo == "ppo" else RecurrentA2C

    def write(self, path: Path) -> None:
        """Write as JSON.

        Raises:
            FileExistsError: There is such a file; a run's configuration is written once.
        """
        with path.open("x", encoding="utf-8") as file:
            file.write(to_json(self))

    @classmethod
    def read(cls, path: Path) -> "RunConfig":
        """Read what `write` wrote.

        Raises:
            ValueError: The folder holds no run, or one of another version.
        """
        if not path.is_file():
            raise ValueError(f"{path.parent} is not a run: it has no {path.name}. Give the folder that `train` made.")
        return read_json(cls, path)


def _is_normalised(space: spaces.Space) -> bool:
    return isinstance(space, spaces.Box) and not is_image_space(space)
