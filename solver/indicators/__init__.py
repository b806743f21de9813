"""Crack-risk numbers of an accepted state (equations 4.1-4.9 of docs/theory.md); nothing is solved or written here."""
