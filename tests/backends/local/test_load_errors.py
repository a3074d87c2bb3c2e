"""Out of memory has many names; other failures keep theirs."""

from __future__ import annotations

import pytest

from backends.local.load_errors import out_of_memory

torch = pytest.importorskip("torch")


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        MemoryError(),
        RuntimeError("CUDA error: out of memory"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.94 GB)"),
    ],
)
def test_what_says_that_memory_ran_out_is_known(error: Exception) -> None:
    assert out_of_memory(error)


@pytest.mark.parametrize(
    "error", [RuntimeError("mat1 and mat2 shapes cannot be multiplied"), ValueError("out of memory"), KeyError("x")]
)
def test_any_other_failure_is_not_taken_for_it(error: Exception) -> None:
    assert not out_of_memory(error)
