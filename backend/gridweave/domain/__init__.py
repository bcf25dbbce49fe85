"""Pure rules of the market and its messages: slots, units, clearing, settlement and EIP-712 types."""
