"""Test kits for users: check a memory of your own against the contract."""

from recurrent_rl.testing.contract import MemoryContractError, check_memory

__all__ = ["MemoryContractError", "check_memory"]
