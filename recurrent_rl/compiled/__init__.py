"""Machine code for the CPU, made by numba from Python: where it applies, and how a compiled function is called.

Modules here but `choice` import numba, so they are imported where they are used and `choice.why_not` returned None.

numba looks at the file of a task alone to see whether its machine code is out of date: after editing what tasks call,
delete the __pycache__ folders.
"""
