"""The counter guard: holds back what a meter cannot have measured, and remembers totals over a restart."""
