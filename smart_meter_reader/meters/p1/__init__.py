"""Electricity meters with a P1 port, plain or encrypted, and the M-Bus meters behind them."""
