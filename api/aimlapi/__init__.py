"""AI/ML API's wire format, served here; OpenAI's clients speak a sibling of it."""
