"""What the energy of a stretch of time cost: contracts, prices, and the bill."""
