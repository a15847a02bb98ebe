"""The program of a whole policy: what it applies to, and one step with it."""

from typing import Any

import torch
from stable_baselines3.common.distributions import CategoricalDistribution, Distribution
from torch import Tensor, nn

from recurrent_rl.compiled.choice import bfloat16_wanted, why_not
from recurrent_rl.memory import Memory, State
from recurrent_rl.memory.controls import Identity
from recurrent_rl.memory.recurrent import RecurrentMemory

_LAYERS = (nn.Flatten, nn.Linear, nn.Tanh, nn.ReLU)


def has_program(memories: list[Memory], stacks: list[nn.Module]) -> bool:
    """Whether a policy of these parts can act by a program: stock modules without hooks, on the CPU, with numba.

    Args:
        memories: The actor's and, where it is separate, the critic's.
        stacks: Layers before and after them.
    """
    parts = [module for part in (*memories, *stacks) for module in part.modules()]
    if any(module._forward_hooks or module._forward_pre_hooks for module in parts):
        return False
    plain = all(_is_plain(memory) for memory in memories)
    layers = [layer for stack in stacks for layer in (stack if isinstance(stack, nn.Sequential) else [stack])]
    return plain and all(type(layer) in _LAYERS for layer in layers)


def _is_plain(memory: Memory) -> bool:
    recurrent = isinstance(memory, RecurrentMemory) and type(memory) is RecurrentMemory and not memory.spec.layer_norm
    return recurrent or type(memory) is Identity


class Stepper:
    """One step of actor and critic for B rows, by a program.

    Args:
        encoders: Layers before the memories: one stack for all of them, or one for each.
        memories: The actor's and, where it is separate, the critic's.
        actor: Layers after the actor's memory, and the net of the distribution's parameters.
        critic: Layers after the critic's, and the value net; empty for the actor alone.
        inputs: What each encoder reads, numbers per row.
        batch_size: B.
        packed: See `Program`.
    """

    def __init__(
        self,
        encoders: list[nn.Sequential],
        memories: list[Memory],
        actor: list[Any],
        critic: list[Any],
        inputs: list[int],
        batch_size: int,
        packed: bool,
    ) -> None:
        from recurrent_rl.policies.program.build import Program

        self._packed, self._addresses = packed, list[int]()
        self.batch_size = batch_size
        self.owners: tuple[nn.Module | None, ...] = ()  # the policy's parts, to see when one is replaced
        self._stacks = [stack for stack in (*encoders, *actor, *critic) if isinstance(stack, nn.Sequential)]
        self._layers = [tuple(stack) for stack in self._stacks]
        self._modules = [module for part in (*encoders, *memories, *actor, *critic) for module in part.modules()]
        self.program = program = Program(batch_size, packed, packed and bfloat16_wanted())
        sources = [program.slot(width) for width in inputs]
        self._sources = [source[:, :width] for source, width in zip(sources, inputs, strict=True)]
        encoded = [program.add_layers(*pair) for pair in zip(encoders, sources, strict=True)]
        outputs = [
            program.add_memory(memory, encoded[min(i, len(encoded) - 1)])
            if isinstance(memory, RecurrentMemory)
            else encoded[min(i, len(encoded) - 1)]
            for i, memory in enumerate(memories)
        ]
        parameters, values = outputs[0], outputs[-1]
        for stack in actor:
            parameters = program.add_layers(stack, parameters)
        for stack in critic:
            values = program.add_layers(stack, values)
        self._parameters, self._values = parameters[:, : actor[-1].out_features], values[:, 0]

    def is_current(self, owners: tuple[nn.Module | None, ...]) -> bool:
        """Whether the program still is that of these parts: none was replaced, and none has a hook."""
        if self.owners != owners or any(m._forward_hooks or m._forward_pre_hooks for m in self._modules):
            return False
        return all(tuple(stack._modules.values()) == layers for stack, layers in zip(self._stacks, self._layers))

    def fits(self, state: State) -> bool:
        """Whether a step can begin with this state."""
        return self.program.fits(state)

    def refresh(self) -> bool:
        """Take the weights as they are now; return False where the program does not apply to them (any more)."""
        weights = self.program.weights()
        addresses = [weight.data_ptr() for weight in weights] + self.program.initial_addresses()
        if addresses == self._addresses and not self._packed:
            return True
        if not weights or why_not(weights[0]) is not None:
            return False
        if any(
            weight.dtype is not torch.float32 or not weight.is_cpu or not weight.is_contiguous() for weight in weights
        ):
            return False
        self.program.refresh(weights)
        self._addresses = addresses
        return True

    def step(self, features: list[Tensor], state: State, starts: Tensor) -> tuple[Tensor, Tensor, State]:
        """Return the distribution's parameters [B, A], the values [B] and the state that follows.

        The first two are overwritten by the next step.

        Args:
            features: What each encoder reads, [B, I].
            state: Leaves [B, L, H].
            starts: [B] bool on the host.
        """
        for source, feature in zip(self._sources, features, strict=True):
            source.copy_(feature)
        leaving = self.program.step(state, starts.contiguous())
        return self._parameters, self._values, leaving

    def __reduce__(self) -> Any:
        """A copy would point at this one's arrays: copies of a policy begin without one."""
        return _nothing, ()


def _nothing() -> None:
    return None


def sample(distribution: Distribution, parameters: Tensor) -> tuple[Tensor, Tensor]:
    """Return actions [B, ...] and log-probabilities [B] of a categorical with logits [B, A], by one uniform number each."""
    from recurrent_rl.policies.program.build import sample_categorical

    assert isinstance(distribution, CategoricalDistribution)
    return sample_categorical(parameters)
