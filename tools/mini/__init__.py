"""How the mini checkpoint was made: `make mini` runs it from nothing, `make judge` measures what came of it."""
