"""Leases of meters that several machines reach."""
