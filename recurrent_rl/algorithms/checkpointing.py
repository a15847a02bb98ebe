"""`save` and `load` behind Stable-Baselines3's signatures, and the snapshot that makes a resume exact.

A checkpoint holds constructor arguments, weights, optimiser and a snapshot: counters, random generators, environment,
normaliser and hidden states. The snapshot is taken at update boundaries, so that a file saved in the middle of a
rollout continues from that rollout's start, bit for bit.
"""

import random
import warnings
from collections import deque
from collections.abc import Iterable
from typing import Any, ClassVar, Self

import numpy as np
import torch
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.utils import check_for_correct_spaces
from stable_baselines3.common.vec_env import VecNormalize

from recurrent_rl.checkpoint import (
    CheckpointError,
    Schedules,
    Tabulated,
    Untrusted,
    find_untrusted,
    read_archive,
    tabulate,
    write_archive,
)
from recurrent_rl.vector import (
    get_env_state,
    get_normaliser,
    set_env_state,
    set_normaliser,
    why_not_resumable,
    why_not_settable,
)

_SAVED = {"policy_class", "observation_space", "action_space", "n_envs", "arguments", "tables", "extra", "snapshot"}
_SNAPSHOT = {
    "counters", "episodes", "successes", "random", "environment", "normaliser", "observation", "starts", "states"
}  # fmt: skip
_COUNTERS = ("num_timesteps", "_total_timesteps", "_episode_num", "_n_updates", "_current_progress_remaining")


class Checkpointing(BaseAlgorithm):
    """Mixed into an algorithm, before SB3's class."""

    hyperparameters: ClassVar[tuple[str, ...]]
    given_horizon: int | None
    _boundary: dict[str, Any] | None
    _resume: dict[str, Any] | None
    _loaded_normaliser: dict[str, Any] | None = None

    # ---------------------------------------------------------------- snapshot

    def snapshot(self) -> dict[str, Any]:
        """Return what a resume needs beside weights and optimiser; plain values and host arrays."""
        return {
            "counters": {name: getattr(self, name) for name in _COUNTERS},
            "episodes": list(self.ep_info_buffer or []),
            "successes": list(self.ep_success_buffer or []),
            "random": _random_state(self.device),
            "environment": get_env_state(self.env) if self.env is not None and self._last_obs is not None else None,
            "normaliser": get_normaliser(self.env) if self.env is not None else None,
            "observation": self._last_obs,
            "starts": self._last_episode_starts,
            "states": None
            if self._last_states is None
            else [leaf.detach().cpu().numpy() for leaf in self._last_states],
        }

    def _restore(self, snapshot: Any) -> None:
        """Put environment, normaliser, hidden states and generators where the snapshot was taken; warn if impossible."""
        assert self.env is not None, "Give the environment to load or set_env before learn."
        self.env.reset()  # makes what only a reset makes; then everything is put back
        reason = why_not_resumable(self.env)
        if reason is None and (snapshot["environment"] is None or snapshot["observation"] is None):
            reason = "the checkpoint holds no environment state"
        if reason is None and len(snapshot["starts"]) != self.env.num_envs:
            reason = (
                f"the checkpoint has {len(snapshot['starts'])} environment columns, now there are {self.env.num_envs}"
            )
        if reason is None:
            reason = why_not_settable(self.env, snapshot["environment"])
        if reason is not None:
            warnings.warn(f"Training goes on with new episodes, not exactly where it stopped: {reason}.", stacklevel=4)
            self._last_obs = None
            if snapshot["normaliser"] is not None and self._vec_normalize_env is not None:
                set_normaliser(self._vec_normalize_env, snapshot["normaliser"])
        else:
            set_env_state(self.env, snapshot["environment"])
            self._last_obs = snapshot["observation"]
            self._last_episode_starts = snapshot["starts"]
            self._last_states = tuple(torch.as_tensor(leaf, device=self.device) for leaf in snapshot["states"])
        _set_random_state(snapshot["random"], self.device)

    def _setup_learn(
        self,
        total_timesteps: int,
        callback: Any = None,
        reset_num_timesteps: bool = True,
        tb_log_name: str = "run",
        progress_bar: bool = False,
    ) -> tuple[int, BaseCallback]:
        resume, self._resume = self._resume, None
        if resume is not None and not reset_num_timesteps:
            self._restore(resume)
        return super()._setup_learn(total_timesteps, callback, reset_num_timesteps, tb_log_name, progress_bar)

    # ---------------------------------------------------------------- save

    def save(
        self,
        path: Any,
        exclude: Iterable[str] | None = None,
        include: Iterable[str] | None = None,
    ) -> None:
        """Write a checkpoint, atomically.

        Args:
            path: File (".zip" is added where it has no suffix) or open file.
            exclude: Names of constructor arguments to leave out, and "resume" for a file without the snapshot (smaller,
                and enough for predict).
            include: Names of further attributes to keep; they must be plain values, arrays or specs.
        """
        left_out = set(exclude or ())
        names = [name for name in self.hyperparameters if name not in left_out]
        snapshot = self._boundary or self._resume or self.snapshot()
        data = {
            "algorithm": type(self).__name__,
            "policy_class": self.policy_class,
            "observation_space": self.observation_space,
            "action_space": self.action_space,
            "n_envs": self.n_envs,
            "arguments": {name: self._argument(name) for name in names},
            "tables": _tables({name: self._argument(name) for name in names}),
            "extra": {name: getattr(self, name) for name in include or ()},
            "snapshot": None if "resume" in left_out else snapshot,
        }
        write_archive(path, data, self.get_parameters())

    def _argument(self, name: str) -> Any:
        """Return a constructor argument as it was given: the horizon's default depends on the others."""
        return self.given_horizon if name == "bptt_horizon" else getattr(self, name)

    # ---------------------------------------------------------------- load

    @classmethod
    def load(  # type: ignore[override]
        cls,
        path: Any,
        env: Any = None,
        device: torch.device | str = "auto",
        custom_objects: dict[str, Any] | None = None,
        print_system_info: bool = False,
        force_reset: bool = False,
        trust: bool = False,
        **kwargs: Any,
    ) -> Self:
        """Rebuild a model from a checkpoint.

        `learn(n, reset_num_timesteps=False)` then goes on where the checkpoint was taken: environment, normaliser
        statistics, hidden states and random generators are put back at that moment (with a warning where the environment
        cannot). `force_reset=True`, or a learn that resets the counter, begins new episodes in the environment as given.

        Args:
            path: File or open file.
            env: Anything that the constructor takes; None is enough for predict.
            device: Where the model goes.
            custom_objects: Replacements for stored arguments by name.
            print_system_info: Print versions first.
            force_reset: Do not put the environment back.
            trust: Read pickled parts and import classes outside the allow-list. Only for files whose author you trust:
                either can run any code.
            kwargs: Constructor arguments to change, and attributes to set.

        Raises:
            FileNotFoundError: No such file.
            CheckpointError: Damaged, foreign, of another algorithm, not trusted, or with other spaces than `env`.
        """
        if print_system_info:
            from stable_baselines3.common.utils import get_system_info

            get_system_info()
        data, parameters = read_archive(path, trust=trust)
        _check_kind(data, cls.__name__)
        _check_content(data, cls)
        known = {*cls.hyperparameters, "policy_class"}  # as in SB3, other custom objects have nothing to replace
        replaced = {name: value for name, value in (custom_objects or {}).items() if name in known}
        changed = {name: value for name, value in kwargs.items() if name in cls.hyperparameters}
        _check_policy_kwargs(data, changed)
        arguments = _constructor_arguments(data, {**replaced, **changed})
        if env is not None:
            env = cls._wrap_env(env, arguments.get("verbose", 0))
            _check_spaces(env, data)
        model = cls(data["policy_class"], env, device=device, _init_setup_model=False, **arguments)  # type: ignore[call-arg]
        model.observation_space, model.action_space = data["observation_space"], data["action_space"]
        model.n_envs = data["n_envs"] if env is None else env.num_envs
        model._setup_model()
        model.set_parameters(parameters)
        for name, value in data["extra"].items():
            setattr(model, name, value)
        if data["snapshot"] is not None:
            model._continue_from(data["snapshot"], force_reset)
        for name in kwargs.keys() - changed.keys():
            setattr(model, name, kwargs[name])
        return model

    def set_normaliser(self, normaliser: VecNormalize) -> None:
        """Give a VecNormalize the statistics that the loaded checkpoint was trained with, for evaluation.

        Raises:
            CheckpointError: The checkpoint holds none.
        """
        if self._loaded_normaliser is None:
            raise CheckpointError(
                "The checkpoint holds no normaliser statistics: it was trained without VecNormalize, or saved without the "
                "snapshot. Evaluate without the normaliser, or use VecNormalize.load on statistics saved beside it."
            )
        set_normaliser(normaliser, self._loaded_normaliser)

    def _continue_from(self, snapshot: dict[str, Any], force_reset: bool) -> None:
        for name in _COUNTERS:
            setattr(self, name, snapshot["counters"][name])
        self.ep_info_buffer = deque(snapshot["episodes"], maxlen=self._stats_window_size)
        self.ep_success_buffer = deque(snapshot["successes"], maxlen=self._stats_window_size)
        if find_untrusted(snapshot["environment"]) is not None:
            snapshot["environment"] = None  # an environment whose state is not plain data
        self._resume = None if force_reset else snapshot
        self._loaded_normaliser = normaliser = snapshot["normaliser"]
        if normaliser is not None and self.env is not None and self._vec_normalize_env is None:
            warnings.warn(
                "This policy was trained under VecNormalize, and the environment given here has none: where observations "
                "were normalised it will act on wrong ones. Wrap it in recurrent_rl.vector.VecNormalize and call "
                "model.set_normaliser(env).",
                stacklevel=4,
            )

    def set_parameters(
        self, load_path_or_dict: Any, exact_match: bool = True, device: torch.device | str = "auto"
    ) -> None:
        """Load weights and optimiser from a checkpoint of ours, or from a dict as `get_parameters` gives."""
        if not isinstance(load_path_or_dict, dict):
            load_path_or_dict = read_archive(load_path_or_dict, self.device)[1]
        try:
            super().set_parameters(load_path_or_dict, exact_match, device)
        except (RuntimeError, ValueError) as error:
            raise CheckpointError(
                f"The weights do not fit this model; build it with the same policy_kwargs and spaces. {error}"
            ) from error


def _check_kind(data: dict[str, Any], expected: str) -> None:
    if "algorithm" not in data:
        raise CheckpointError("The file holds a policy alone, without its algorithm; load it with the policy's class.")
    if data["algorithm"] != expected:
        raise CheckpointError(f"The checkpoint is of {data['algorithm']}; load it with that class, not {expected}.")


def _check_content(data: dict[str, Any], kind: type[Checkpointing]) -> None:
    """Refuse a file that lacks what `save` writes, or would put a value in place of a method or property."""
    lacking = _SAVED - data.keys()
    if data.get("snapshot") is not None:
        lacking |= _SNAPSHOT - dict(data["snapshot"]).keys()
    if lacking:
        raise CheckpointError(f"The checkpoint is damaged: it lacks {sorted(lacking)}; load an earlier one.")
    if unknown := data["arguments"].keys() - {*kind.hyperparameters, "policy_class"}:
        raise CheckpointError(
            f"The checkpoint has the arguments {sorted(unknown)}, which this version does not know; take a newer one."
        )
    owned = {name: getattr(kind, name, None) for name in data["extra"]}
    if taken := [name for name, own in owned.items() if callable(own) or isinstance(own, property)]:
        raise CheckpointError(f"The checkpoint would replace {taken}, which are methods; it is not loaded.")


def _check_policy_kwargs(data: dict[str, Any], given: dict[str, Any]) -> None:
    """Refuse other policy_kwargs than the stored ones, as SB3 does; custom_objects may replace them."""
    stored = data["arguments"].get("policy_kwargs")
    if "policy_kwargs" in given and not find_untrusted(stored) and given["policy_kwargs"] != stored:
        raise CheckpointError(
            f"policy_kwargs differ from the stored ones; leave them out. Stored: {stored}, given: {given['policy_kwargs']}."
        )


def _constructor_arguments(data: dict[str, Any], replacements: dict[str, Any]) -> dict[str, Any]:
    """Return the stored constructor arguments with the user's in their place; refuse what only trust reads."""
    if "policy_class" in replacements:
        data["policy_class"] = replacements.pop("policy_class")
    stored = {**data["arguments"], **_tables_for_functions(data)}
    arguments = {**stored, **replacements}
    for name, value in [("policy_class", data["policy_class"]), *arguments.items()]:
        if (untrusted := find_untrusted(value)) is not None:
            raise CheckpointError(
                f"{name} holds {untrusted.description}, which this file can only give by running code. Pass your own with "
                f"load(..., custom_objects={{{name!r}: ...}}), or trust=True if you trust the file's author."
            )
    return arguments


def _is_function(value: Any) -> bool:
    """Whether `value` is a schedule that the codec has no form for."""
    return callable(value) and not isinstance(value, type | Schedules)


def _tables(arguments: dict[str, Any]) -> dict[str, Tabulated]:
    """Return a table for each schedule that is a function, where it has a value at every progress."""
    tables = {name: tabulate(value) for name, value in arguments.items() if _is_function(value)}
    return {name: table for name, table in tables.items() if table is not None}


def _tables_for_functions(data: dict[str, Any]) -> dict[str, Tabulated]:
    """Return tables in place of the schedules that were functions and that an untrusted file cannot give back."""
    tables = {name: table for name, table in data["tables"].items() if isinstance(data["arguments"][name], Untrusted)}
    for name in tables:
        warnings.warn(
            f"{name} was a function when it was saved. Code is not loaded from checkpoints, so a table of its values "
            f"stands in; pass {name}=... or trust=True to load for the function itself.",
            stacklevel=4,
        )
    return tables


def _check_spaces(env: Any, data: dict[str, Any]) -> None:
    try:
        check_for_correct_spaces(env, data["observation_space"], data["action_space"])
    except ValueError as error:
        raise CheckpointError(
            f"{error}. The checkpoint was trained with observations {data['observation_space']} and actions "
            f"{data['action_space']}; load it with an environment (and wrappers) of that kind."
        ) from error


def _random_state(device: torch.device) -> dict[str, Any]:
    cuda = torch.cuda.get_rng_state(device).numpy() if device.type == "cuda" else None
    return {
        "torch": torch.get_rng_state().numpy(),
        "cuda": cuda,
        "numpy": np.random.get_state(),  # noqa: NPY002 - SB3 seeds and uses the global generator
        "python": random.getstate(),
    }


def _set_random_state(state: dict[str, Any], device: torch.device) -> None:
    torch.set_rng_state(torch.from_numpy(state["torch"]))
    if device.type == "cuda" and state["cuda"] is not None:
        torch.cuda.set_rng_state(torch.from_numpy(state["cuda"]), device)
    np.random.set_state(state["numpy"])  # noqa: NPY002
    random.setstate(state["python"])
