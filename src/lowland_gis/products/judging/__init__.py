"""Packages that anybody made, judged by a definition: what is found, where, and which mark that makes."""
