"""RecurrentPPO of sb3-contrib, read and written: the same actions, values and log-probabilities."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.torch_layers import NatureCNN

from recurrent_rl.algorithms import RecurrentPPO
from recurrent_rl.checkpoint import CheckpointError
from recurrent_rl.export.card import Card, write_card
from recurrent_rl.export.exportable import Source, exportable, load_source, memory_spec, policy_of
from recurrent_rl.export.form import drafted
from recurrent_rl.export.packages import require
from recurrent_rl.export.parity import ROWS, STEPS, ParityError, sample
from recurrent_rl.export.sb3_file import read_policy_kwargs, read_sb3, read_schedule, read_space
from recurrent_rl.export.sb3_weights import to_ours, to_theirs
from recurrent_rl.memory import LSTM, NoMemory
from recurrent_rl.policies.recurrent import RecurrentActorCriticPolicy

NUMBERS = (
    "n_steps", "batch_size", "n_epochs", "gamma", "gae_lambda", "ent_coef", "vf_coef", "max_grad_norm", "use_sde",
    "sde_sample_freq", "target_kl", "normalize_advantage", "seed",
)  # fmt: skip
SAME = (
    "net_arch", "activation_fn", "ortho_init", "log_std_init", "full_std", "use_expln", "squash_output",
    "features_extractor_class", "features_extractor_kwargs", "share_features_extractor", "normalize_images",
    "optimizer_class", "optimizer_kwargs",
)  # fmt: skip
TOLERANCE = 1e-6


def from_sb3_contrib(
    path: str | Path,
    observation_space: spaces.Space | None = None,
    action_space: spaces.Space | None = None,
    policy_kwargs: dict[str, Any] | None = None,
    env: Any = None,
) -> RecurrentPPO:
    """Return a RecurrentPPO with the policy of a file that sb3-contrib's RecurrentPPO saved.

    What is pickled in the file is never opened: spaces and arguments are read from the text beside it. The optimiser's
    moments are left out; a VecNormalize is a file of its own there.

    Args:
        path: The zip.
        observation_space: Where the file does not tell it in text (Dict observations, boxes of many different bounds).
        action_space: The same.
        policy_kwargs: The same, where a class outside torch and Stable-Baselines3 was used.
        env: To train on in, of any number of columns; its spaces stand for those of the file. None is enough for predict.

    Raises:
        FileNotFoundError: There is no such file.
        CheckpointError: It is damaged, of another algorithm, or does not tell enough.
    """
    data, weights = read_sb3(Path(path))
    if "lstm_actor.weight_ih_l0" not in weights:
        raise CheckpointError(f"{path} holds no LSTM policy of sb3-contrib's RecurrentPPO.")
    arguments = policy_kwargs if policy_kwargs is not None else read_policy_kwargs(data.get("policy_kwargs"))
    env = None if env is None else RecurrentPPO._wrap_env(env, 0)
    own = (observation_space, action_space) if env is None else (env.observation_space, env.action_space)
    seen, done = (
        given or read_space(data.get(name), name)
        for given, name in zip(own, ("observation_space", "action_space"), strict=True)
    )
    model = RecurrentPPO(
        _policy_name(seen, weights),
        env,
        policy_kwargs=arguments,
        device="cpu",
        _init_setup_model=False,
        **_hyperparameters(data),
    )
    model.observation_space, model.action_space = seen, done
    model.n_envs = data.get("n_envs", 1) if env is None else env.num_envs
    model.num_timesteps = data.get("num_timesteps", 0)
    try:
        model._setup_model()
        policy = model.policy
        policy.load_state_dict(to_ours(weights, policy.state_dict(), _shares_extractor(policy)))
    except (RuntimeError, KeyError, TypeError, ValueError, AssertionError) as error:
        raise CheckpointError(f"The weights in {path} do not fit its policy_kwargs {arguments}: {error!r}") from error
    return model


def _policy_name(observation_space: spaces.Space, weights: dict[str, Any]) -> str:
    if isinstance(observation_space, spaces.Dict):
        return "MultiInputLstmPolicy"
    return "CnnLstmPolicy" if any(name.startswith("features_extractor.cnn.") for name in weights) else "MlpLstmPolicy"


def _hyperparameters(data: dict[str, Any]) -> dict[str, Any]:
    given = {name: data[name] for name in NUMBERS if name in data}
    found = {name: value for name, value in given.items() if value is None or isinstance(value, int | float)}
    if unread := given.keys() - found.keys():
        warnings.warn(
            f"{', '.join(sorted(unread))}: only a pickle tells them, and they have their defaults. Set them before training "
            "on.",
            stacklevel=3,
        )
    for name in ("learning_rate", "clip_range", "clip_range_vf"):
        value = read_schedule(data.get(name))
        if value is not None:
            found[name] = value
        elif data.get(name) is not None:
            warnings.warn(
                f"{name} was a function and is not read; it has its default. Set it before training on.", stacklevel=3
            )
    return found


def _shares_extractor(policy: RecurrentActorCriticPolicy) -> bool:
    return policy.critic_features is policy.features_extractor


def to_sb3_contrib(source: Source, path: str | Path, card: Card | None = None) -> Path:
    """Write a zip that `sb3_contrib.RecurrentPPO.load` opens, and return its path; needs sb3-contrib.

    Of what training on needs, the optimiser's moments are left out, and a critic that is "shared" becomes theirs, whose
    gradient does not reach the memory. Observations that were normalised need their VecNormalize; a warning says so.

    Args:
        source: A RecurrentPPO with an LSTM policy, a checkpoint's path or the folder of a run.
        path: The file; ".zip" is added where it has another suffix.
        card: What to write into the model card beside it.

    Raises:
        ImportError: sb3-contrib is missing.
        ValueError: Their RecurrentPPO has no such policy; the message says what differs.
        ParityError: Theirs would act differently; no file is written.
    """
    require("sb3_contrib", extra="sb3-contrib")
    import sb3_contrib

    model = source if isinstance(source, RecurrentPPO) else load_source(source)  # type: ignore[arg-type]
    if not isinstance(model, RecurrentPPO):
        raise ValueError("to_sb3_contrib takes a RecurrentPPO, its checkpoint or its run.")
    policy = policy_of(model)
    theirs = sb3_contrib.RecurrentPPO(
        _their_policy(policy), None, policy_kwargs=_their_arguments(policy), device="cpu", _init_setup_model=False,  # type: ignore[arg-type]
        **_their_hyperparameters(model),
    )  # fmt: skip
    theirs.observation_space, theirs.action_space = model.observation_space, model.action_space
    theirs.n_envs, theirs.num_timesteps = model.n_envs, model.num_timesteps
    theirs._setup_model()
    theirs.policy.load_state_dict(to_theirs(policy.state_dict(), theirs.policy.state_dict(), _shares_extractor(policy)))
    _compare(policy, theirs.policy)
    with drafted(path, ".zip") as (draft, target):
        theirs.save(draft)
    found = exportable(model)
    if found.step.normalised:
        warnings.warn(
            "This policy reads normalised observations, and sb3-contrib keeps a VecNormalize in a file of its own: save it "
            "by VecNormalize.save beside the zip, and wrap their environment in it.",
            stacklevel=2,
        )
    write_card(target, {**found.header, "exact": True}, card)
    return target


def _their_policy(policy: RecurrentActorCriticPolicy) -> str:
    if isinstance(policy.observation_space, spaces.Dict):
        return "MultiInputLstmPolicy"
    return "CnnLstmPolicy" if isinstance(policy.features_extractor, NatureCNN) else "MlpLstmPolicy"


def _their_arguments(policy: RecurrentActorCriticPolicy) -> dict[str, Any]:
    """Return sb3-contrib's policy_kwargs.

    Raises:
        ValueError: Memory or critic are none of theirs.
    """
    memory, critic = memory_spec(policy), policy._arguments["critic"]
    if not isinstance(memory, LSTM) or memory.layer_norm or memory.learned_initial_state:
        raise ValueError(f"sb3-contrib has plain LSTMs alone, not {memory}.")
    if critic not in ("shared", "detached", "separate", NoMemory(), memory):
        raise ValueError(f"sb3-contrib's critic has the actor's LSTM, one of its own like it, or none; not {critic}.")
    if policy.precision != "float32":
        raise ValueError("sb3-contrib's policies are float32; set precision='float32'.")
    arguments = {name: policy._arguments[name] for name in SAME if policy._arguments[name] is not None}
    given = (
        {} if memory.bias and not memory.dropout else {"lstm_kwargs": {"bias": memory.bias, "dropout": memory.dropout}}
    )
    return {
        **arguments,
        "lstm_hidden_size": memory.hidden_size,
        "n_lstm_layers": memory.num_layers,
        "shared_lstm": critic in ("shared", "detached"),
        "enable_critic_lstm": critic in ("separate", memory),
        **given,
    }


def _their_hyperparameters(model: RecurrentPPO) -> dict[str, Any]:
    found = {name: getattr(model, name) for name in (*NUMBERS, "learning_rate", "clip_range", "clip_range_vf")}
    if found["batch_size"] is None:
        found["batch_size"] = model.n_steps * model.n_envs
    return found


def _compare(ours: RecurrentActorCriticPolicy, theirs: Any) -> None:
    """Play both for 200 steps in three columns with episodes that end in between.

    Raises:
        ParityError: Actions, values or log-probabilities differ.
    """
    from sb3_contrib.common.recurrent.type_aliases import RNNStates

    ours.set_training_mode(False)
    theirs.set_training_mode(False)
    random, lstm = np.random.default_rng(0), theirs.lstm_actor
    zeros = torch.zeros(lstm.num_layers, ROWS, lstm.hidden_size)
    state, their_state = ours.initial_state(ROWS), RNNStates((zeros, zeros), (zeros, zeros))
    for step in range(STEPS):
        starts = torch.from_numpy(random.random(ROWS) < (1.0 if step == 0 else 0.05))
        observation, _ = ours.obs_to_tensor(sample(ours.observation_space, ROWS, random))
        with torch.no_grad():
            *mine, state = ours.act(observation, state, starts, deterministic=True)
            *yours, their_state = theirs.forward(observation, their_state, starts.float(), deterministic=True)
        for what, one, other in zip(("actions", "values", "log-probabilities"), mine, yours, strict=True):
            gap = (one.double() - other.double().view_as(one)).abs().max().item()
            if not gap <= TOLERANCE * max(1.0, one.double().abs().max().item()):
                raise ParityError(f"At step {step} the {what} differ by {gap:.2g}; no file was written.")
