"""The domain: requests, backend specs, events, errors, images, the engine. No web framework, no HTTP, no torch."""
