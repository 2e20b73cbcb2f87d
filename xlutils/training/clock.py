"""The seconds that a training takes, also if it was stopped and continued."""

from __future__ import annotations

import time
from typing import Any

from transformers import TrainerCallback


class Clock(TrainerCallback):
    """Adds to each row of the log, which is part of a checkpoint, how long the training has run so far."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Go on from the time in the log of the checkpoint, if there is one."""
        before = [row["seconds"] for row in state.log_history if "seconds" in row]
        self._started = time.perf_counter() - max(before, default=0.0)

    def on_log(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Note the time in the newest row."""
        state.log_history[-1]["seconds"] = time.perf_counter() - self._started
