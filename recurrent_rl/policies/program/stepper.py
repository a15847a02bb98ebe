"""The program of a whole policy: what it applies to, and one step with it."""

from dataclasses import dataclass
from threading import Lock
from typing import Any

import torch
from torch import Tensor, nn

from recurrent_rl.compiled.choice import bfloat16_wanted, why_not
from recurrent_rl.memory import Memory, State
from recurrent_rl.memory.controls import Identity
from recurrent_rl.memory.recurrent import RecurrentMemory

_LAYERS = (nn.Flatten, nn.Linear, nn.Tanh, nn.ReLU)


@dataclass(frozen=True, slots=True)
class Parts:
    """What a program is made of.

    Args:
        encoders: Layers before the memories: one stack for all of them, or one for each.
        memories: The actor's and, where it is separate, the critic's.
        actor: Layers after the actor's memory, and the net of the distribution's parameters.
        critic: Layers after the critic's, and the value net; empty for the actor alone.
    """

    encoders: list[nn.Sequential]
    memories: list[Memory]
    actor: list[Any]
    critic: list[Any]

    @property
    def stacks(self) -> list[nn.Module]:
        """All but the memories."""
        return [*self.encoders, *self.actor, *self.critic]


def has_program(parts: Parts) -> bool:
    """Whether a policy of these parts can act by a program: stock modules without hooks, on the CPU, with numba."""
    modules = [module for part in (*parts.memories, *parts.stacks) for module in part.modules()]
    if any(module._forward_hooks or module._forward_pre_hooks for module in modules):
        return False
    plain = all(_is_plain(memory) for memory in parts.memories)
    layers = [layer for stack in parts.stacks for layer in (stack if isinstance(stack, nn.Sequential) else [stack])]
    return plain and all(type(layer) in _LAYERS for layer in layers)


def _is_plain(memory: Memory) -> bool:
    return type(memory) is Identity or (type(memory) is RecurrentMemory and not memory.spec.layer_norm)


class Stepper:
    """One step of actor and critic for B rows, by a program.

    Args:
        parts: What it is made of.
        owners: The policy's children, to see when one is replaced.
        inputs: What each encoder reads, numbers per row.
        batch_size: B.
        packed: See `Program`.
    """

    def __init__(
        self, parts: Parts, owners: tuple[nn.Module | None, ...], inputs: list[int], batch_size: int, packed: bool
    ) -> None:
        from recurrent_rl.policies.program.build import Program

        self.batch_size, self.lock = batch_size, Lock()
        self._owners, self._packed, self._addresses = owners, packed, list[int]()
        self._stacks = [stack for stack in parts.stacks if isinstance(stack, nn.Sequential)]
        self._layers = [tuple(stack) for stack in self._stacks]
        self._modules = [module for part in (*parts.stacks, *parts.memories) for module in part.modules()]
        self.program = program = Program(batch_size, packed, packed and bfloat16_wanted())
        sources = [program.slot(width) for width in inputs]
        self._sources = [source[:, :width] for source, width in zip(sources, inputs, strict=True)]
        encoded = [program.add_layers(*pair) for pair in zip(parts.encoders, sources, strict=True)]
        read = [encoded[min(i, len(encoded) - 1)] for i in range(len(parts.memories))]
        outputs = [
            program.add_memory(memory, slot) if isinstance(memory, RecurrentMemory) else slot
            for memory, slot in zip(parts.memories, read, strict=True)
        ]
        parameters, values = outputs[0], outputs[-1]
        for stack in parts.actor:
            parameters = program.add_layers(stack, parameters)
        for stack in parts.critic:
            values = program.add_layers(stack, values)
        self._parameters, self._values = parameters[:, : parts.actor[-1].out_features], values[:, 0]

    def is_current(self, owners: tuple[nn.Module | None, ...]) -> bool:
        """Whether the program still is that of these children: none was replaced, and none has a hook."""
        if self._owners != owners or any(m._forward_hooks or m._forward_pre_hooks for m in self._modules):
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

        The first two are overwritten by the next step: callers from several threads hold `lock` until they have copied them.

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
