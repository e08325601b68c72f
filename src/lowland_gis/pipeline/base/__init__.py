"""What every stage stands on: the project, the land in force, runs and what they rest on."""
