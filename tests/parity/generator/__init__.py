"""Parts of make_fixtures.py: one module for each subject, plus what they share (store, formula)."""
