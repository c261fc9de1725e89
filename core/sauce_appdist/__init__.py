"""Workflow steps for Sauce Labs Mobile App Distribution."""

__version__ = "1.0.0"
