"""The small partially observable worlds of the literature, each of which asks one question of a memory."""

from pomdp_envs.classic.hmm_views import HMMBatch, HMMSingle
from pomdp_envs.classic.hmm_world import HMMWorld
from pomdp_envs.classic.memory_chain import MemoryChain
from pomdp_envs.classic.recall import Recall
from pomdp_envs.classic.tiger import Tiger
from pomdp_envs.classic.tmaze import TMaze
from pomdp_envs.classic.tmaze_deadline import TMazeDeadline
from pomdp_envs.making import register_world

__all__ = ["HMMBatch", "HMMSingle", "HMMWorld", "MemoryChain", "Recall", "TMaze", "TMazeDeadline", "Tiger"]

register_world("TMaze", TMaze)
register_world("TMazePassive", TMazeDeadline, sign_distance=0)
register_world("TMazeActive", TMazeDeadline, sign_distance=1)
register_world("Tiger", Tiger)
register_world("MemoryChain", MemoryChain)
register_world("MemorySize", MemoryChain, memory_length=2, num_bits=10)
register_world("Recall", Recall)
register_world("HMMWorld", HMMWorld, views="pomdp_envs.classic.hmm_views")
