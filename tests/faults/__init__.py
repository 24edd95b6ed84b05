"""Faults of machines: a company to strike, what is damaged in it, and disks that are full or read-only."""
