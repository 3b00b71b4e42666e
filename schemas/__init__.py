"""The contracts between stages: tables, recipe, signals, statuses. No logic, and nothing of ours is imported here."""
