"""P1, the customer port of electricity meters: DSMR and its national dialects, plain and encrypted."""
