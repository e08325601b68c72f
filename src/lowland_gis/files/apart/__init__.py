"""Programs that read what may make them fall over: each in a process of its own, with limits of time and memory."""
