"""Constraints that a prompt may put on its answer and that code can check: no teacher is asked here."""
