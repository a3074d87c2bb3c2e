"""The local backend: diffusers' own FLUX image-to-image pipeline on this machine's GPU or CPU."""

from backends.local.backend import LocalBackend

__all__ = ["LocalBackend"]
