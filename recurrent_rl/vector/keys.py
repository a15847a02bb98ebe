"""Keys that this library adds to the infos of an SB3 VecEnv (the others are SB3's own)."""

ENDED = "recurrent_rl.ended"
"""Next-step autoreset: on an episode's last row, "terminated" or "truncated"; SB3's `dones` is true one row later."""

FILLER = "recurrent_rl.filler"
"""Next-step autoreset: true on the row that only resets; its action was ignored and its reward means nothing."""
