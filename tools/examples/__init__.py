"""Scenes of the example reference pictures, rendered with numpy alone."""
