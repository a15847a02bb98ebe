"""Machine code for the CPU, made by numba from Python: where it applies, and how a compiled function is called.

Modules here but `choice` import numba, so they are imported where they are used and `choice.why_not` returned None.
"""
