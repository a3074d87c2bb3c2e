"""The WaveSpeedAI backend: FLUX SRPO at wavespeed.ai."""

from backends.wavespeed.backend import WavespeedBackend

__all__ = ["WavespeedBackend"]
