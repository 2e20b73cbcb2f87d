"""The leaderboard: one row per model, read from records, with ranks that respect the intervals."""
