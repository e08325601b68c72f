"""What a task refuses: its message must come through Spark in one line."""

from __future__ import annotations


class RowsRefusedError(ValueError):
    """Rows cannot be tabulated; the message names the file, the table or the partition, and what to do."""

    def __init__(self, message: str) -> None:
        """Keep the message in one line: so it is found again in what Spark says."""
        super().__init__(" ".join(message.split()))
