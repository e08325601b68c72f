"""Frames and figures of what leaves the house."""
