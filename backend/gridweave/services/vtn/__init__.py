"""The OpenADR 3.1 VTN: clients and their tokens, objects and who may see them, notices to subscribers."""
