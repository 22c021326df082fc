"""Maintainers' commands: build the notebooks, run the course, train and evaluate the pocket models."""
