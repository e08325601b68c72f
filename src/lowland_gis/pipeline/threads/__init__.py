"""Work beside the main thread: reading ahead, and parts on several cores."""
