"""What was measured: numbers to files, tables, comparisons and the leaderboard."""
