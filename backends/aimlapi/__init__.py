"""The AI/ML API backend: FLUX SRPO at aimlapi.com."""

from backends.aimlapi.backend import AimlapiBackend

__all__ = ["AimlapiBackend"]
