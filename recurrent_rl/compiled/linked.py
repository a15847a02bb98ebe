"""Functions that are only ever linked into tasks, as LLVM's intermediate code: no machine code of their own.

numba optimises each function and makes machine code of it, and then does both again for the copy in every task. Where only
tasks call a function the first time is lost, and it is a quarter of what compiling takes.
"""

from typing import Any

from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler

_Library: Any = JITCodeLibrary


class _Linked(_Library):
    """A function's code, which its caller takes over as it is and optimises with its own."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        """Return that of no function: numba asks for the one that Python would call."""
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> "_Linked":
        """Itself: numba asks it for `set_env` alone."""
        return self

    def set_env(self, name: str, environment: object) -> None:
        """Do nothing: constants for the interpreter, which a task that was read from the disk lacks too."""


class LinkedOnly(Compiler):
    """numba's compiler, for `pipeline_class`."""

    def define_pipelines(self) -> Any:
        """Have numba's passes put the code where it stays unfinished."""
        self.state.library = _Linked(self.state.targetctx.codegen(), self.state.func_id.func_qualname)
        return super().define_pipelines()
