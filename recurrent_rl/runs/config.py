"""What a run is: one frozen dataclass, from which the command line, config.json and the model are made."""

import dataclasses
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stable_baselines3.common.utils import LinearSchedule
from stable_baselines3.common.vec_env import VecEnv, VecNormalize

from recurrent_rl.algorithms import RecurrentA2C, RecurrentPPO
from recurrent_rl.memory import GRU, LSTM, RNN, FrameWindow, MemorySpec, NoMemory
from recurrent_rl.vector import as_vec_env

Model = RecurrentPPO | RecurrentA2C


# Short chunks, several to a minibatch: many times faster than the algorithms' own defaults, and they learn.
DEFAULTS: dict[str, dict[str, float]] = {
    "ppo": {"n_steps": 128, "batch_size": 256, "n_epochs": 10, "learning_rate": 1e-3, "gae_lambda": 0.95},
    "a2c": {"n_steps": 32, "learning_rate": 1e-3, "gae_lambda": 0.9},
}
HORIZON = 32  # where it divides n_steps


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """A training run. What is None takes a value that suits the algorithm (see DEFAULTS)."""

    env: str = "pomdp_envs/CartPoleNoVel-v0"
    """Environment id; the package before the slash is imported."""
    algo: Literal["ppo", "a2c"] = "ppo"
    """Algorithm."""
    memory: Literal["gru", "lstm", "rnn", "window", "none"] = "gru"
    """What the policy remembers with; "window" stacks the last observations, "none" is the memoryless control."""
    hidden_size: int = 64
    """Units of each recurrent layer."""
    num_layers: int = 1
    """Recurrent layers."""
    window: int = 4
    """Observations in the window."""
    critic: Literal["shared", "detached", "separate"] = "shared"
    """The critic reads the actor's memory with or without gradient, or has one of its own."""
    policy: str = "MlpRecurrentPolicy"
    """MlpRecurrentPolicy, CnnRecurrentPolicy or MultiInputRecurrentPolicy."""
    steps: int = 200_000
    """Environment steps in total, over all columns."""
    n_envs: int = 16
    """Columns of the vector environment."""
    n_steps: int | None = None
    """Rows of a rollout."""
    batch_size: int | None = None
    """Rows of a minibatch (ppo)."""
    n_epochs: int | None = None
    """Passes over each rollout (ppo)."""
    bptt_horizon: int | None = None
    """Rows through which gradients flow; divides n_steps."""
    learning_rate: float | None = None
    """Learning rate at the start."""
    anneal: bool = True
    """Let the learning rate fall linearly to zero."""
    gamma: float = 0.99
    """Discount per step."""
    gae_lambda: float | None = None
    """Trace of the advantage estimate."""
    ent_coef: float = 0.0
    """Weight of the entropy bonus."""
    use_sde: bool = False
    """State-dependent exploration (continuous actions)."""
    normalize: bool = True
    """Normalise observations and rewards by running statistics."""
    seed: int = 0
    """Seed of everything."""
    device: str = "auto"
    """auto, cpu or cuda."""
    threads: int = 1
    """CPU threads of torch; small networks are fastest with one."""

    def memory_spec(self) -> MemorySpec:
        """Return the memory that `memory` names."""
        if self.memory == "window":
            return FrameWindow(self.window)
        if self.memory == "none":
            return NoMemory()
        spec = {"gru": GRU, "lstm": LSTM, "rnn": RNN}[self.memory]
        return spec(hidden_size=self.hidden_size, num_layers=self.num_layers)

    def make_env(self, n_envs: int, seed: int) -> VecEnv:
        """Make the environment, with the normaliser where `normalize` says so."""
        env = as_vec_env(self.env, n_envs=n_envs, seed=seed)
        return VecNormalize(env, gamma=self.gamma) if self.normalize else env

    def make_model(self) -> Model:
        """Build the model and its environment."""
        defaults = DEFAULTS[self.algo]
        given: dict[str, Any] = {
            name: default if getattr(self, name) is None else getattr(self, name) for name, default in defaults.items()
        }
        fitting = HORIZON if given["n_steps"] % HORIZON == 0 else None
        given["bptt_horizon"] = fitting if self.bptt_horizon is None else self.bptt_horizon
        if self.anneal:
            given["learning_rate"] = LinearSchedule(given["learning_rate"], 0.0, 1.0)
        return self.algorithm()(
            self.policy,
            self.make_env(self.n_envs, self.seed),
            gamma=self.gamma,
            ent_coef=self.ent_coef,
            use_sde=self.use_sde,
            seed=self.seed,
            device=self.device,
            memory=self.memory_spec(),
            policy_kwargs={"critic": self.critic},
            **given,
        )

    def algorithm(self) -> type[Model]:
        """Return the class that `algo` names."""
        return RecurrentPPO if self.algo == "ppo" else RecurrentA2C

    def write(self, path: Path) -> None:
        """Write as JSON."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=2) + "\n")

    @classmethod
    def read(cls, path: Path) -> "RunConfig":
        """Read what `write` wrote.

        Raises:
            ValueError: The folder holds no run, or one of another version.
        """
        if not path.is_file():
            raise ValueError(f"{path.parent} is not a run: it has no {path.name}. Give the folder that `train` made.")
        try:
            return cls(**json.loads(path.read_text()))
        except (TypeError, json.JSONDecodeError) as error:
            raise ValueError(f"{path} cannot be read ({error}); mend it or start a new run.") from error
