"""Loops over time as machine code, made by numba from the Python here on first use and cached beside it.

numba's cache looks at the file of the function that is called, not at the helpers in `rows` and `product`: after editing
those, delete `__pycache__` (`make clean` does).
"""
