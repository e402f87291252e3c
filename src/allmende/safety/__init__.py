"""The room of safety: what is never taken in, whatever its owner says, and what is masked in words."""
