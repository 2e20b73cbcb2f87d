"""The leaderboard: a row a model, read from records, with ranks that respect the intervals."""
