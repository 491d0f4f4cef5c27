"""Migrations of surveillance's store."""
