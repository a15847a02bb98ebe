"""The weights of sb3-contrib's recurrent policies under our names, and back."""

from collections.abc import Mapping

import torch
from torch import Tensor

Weights = Mapping[str, Tensor]
PREFIXES = {
    "lstm_actor.": "memory.",
    "lstm_critic.": "critic_memory.",
    "mlp_extractor.policy_net.": "actor_layers.",
    "mlp_extractor.value_net.": "critic_layers.",
}
"""Theirs and ours; heads, standard deviations and a shared extractor are named alike."""


def to_ours(theirs: Weights, wanted: Weights, shared_extractor: bool) -> dict[str, Tensor]:
    """Return sb3-contrib's weights under our names.

    A feed-forward critic of theirs has a linear layer of LSTM width before its hidden ones, with nothing in between; it
    becomes a part of the layer after it.

    Args:
        theirs: Their policy's state_dict.
        wanted: Of our policy.
        shared_extractor: Whether actor and critic share one.
    """
    names = {ours: name for name in theirs if (ours := _ours(name, shared_extractor)) is not None}
    found = {name: theirs[names[name]] for name in wanted if name in names}
    if shared_extractor:
        found |= {name: found[_of_actor(name)] for name in wanted if name.startswith("critic_features.")}
    if "critic.weight" in theirs:
        layer = "critic_layers.0" if "critic_layers.0.weight" in wanted else "value_net"
        weight, bias = found[f"{layer}.weight"], found[f"{layer}.bias"]
        found[f"{layer}.weight"] = (weight.double() @ theirs["critic.weight"].double()).float()
        found[f"{layer}.bias"] = (bias.double() + weight.double() @ theirs["critic.bias"].double()).float()
    return found


def to_theirs(ours: Weights, wanted: Weights, shared_extractor: bool) -> dict[str, Tensor]:
    """Return our weights under sb3-contrib's names.

    Args:
        ours: Our policy's state_dict.
        wanted: Of their policy.
        shared_extractor: Whether actor and critic share one.

    Raises:
        ValueError: A feed-forward critic has no place in theirs.
    """
    found = {}
    for name in wanted:
        mine = _ours(name, shared_extractor) or _shared(name)
        if mine in ours:
            found[name] = ours[mine]
    if "critic.weight" in wanted:
        found |= _with_linear_layer(ours, wanted)
    return found


def _ours(name: str, shared_extractor: bool) -> str | None:
    """Return our name of a weight of theirs; None for what has none."""
    for prefix, mine in PREFIXES.items():
        if name.startswith(prefix):
            return mine + name.removeprefix(prefix)
    if name.startswith("critic."):
        return None
    if shared_extractor:
        return None if name.startswith(("pi_features_extractor.", "vf_features_extractor.")) else name
    if name.startswith("features_extractor."):
        return None  # the same as pi_features_extractor
    name = name.replace("vf_features_extractor.", "critic_features.")
    return name.replace("pi_features_extractor.", "features_extractor.")


def _shared(name: str) -> str:
    """Return our name of a weight that they list under two more names."""
    return name.replace("pi_features_extractor.", "features_extractor.").replace(
        "vf_features_extractor.", "features_extractor."
    )


def _of_actor(name: str) -> str:
    return name.replace("critic_features.", "features_extractor.")


def _with_linear_layer(ours: Weights, wanted: Weights) -> dict[str, Tensor]:
    """Return a critic's first layer as two linear ones, through their LSTM's width."""
    hidden, features = wanted["critic.weight"].shape
    layer = "critic_layers.0" if "critic_layers.0.weight" in ours else "value_net"
    theirs = "mlp_extractor.value_net.0" if layer == "critic_layers.0" else "value_net"
    weight, bias = ours[f"{layer}.weight"], ours[f"{layer}.bias"]
    outputs, before, after = len(weight), torch.zeros(hidden, features), torch.zeros(len(weight), hidden)
    if features <= hidden:  # the first passes the features on
        before[:features], after[:, :features] = torch.eye(features), weight
    elif outputs <= hidden:  # the second does
        before[:outputs], after[:, :outputs] = weight, torch.eye(outputs)
    else:
        raise ValueError(
            f"sb3-contrib's feed-forward critic goes through {hidden} numbers, as many as its LSTM has units; this critic's "
            f"first layer takes {features} to {outputs}, which does not fit through. Train it with an LSTM of "
            f"{min(features, outputs)} units or more, or a narrower critic."
        )
    return {
        "critic.weight": before,
        "critic.bias": torch.zeros(hidden),
        f"{theirs}.weight": after,
        f"{theirs}.bias": bias,
    }
