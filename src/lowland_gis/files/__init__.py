"""Files as offices send them: what they are, what they say, and what they hold."""
