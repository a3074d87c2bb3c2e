"""WaveSpeedAI's wire format, served here."""
