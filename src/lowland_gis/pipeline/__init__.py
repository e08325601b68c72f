"""One function a stage: read, call the pure function, write, record the run."""
