"""Legal rules: packs, their faults, three-valued decisions and the trace of each."""
