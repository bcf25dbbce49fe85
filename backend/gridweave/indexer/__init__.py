"""Chain events to rows, safe under reorganisations."""
