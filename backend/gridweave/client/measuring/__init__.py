"""The program of a device that measures: it signs what it measured, keeps it until a gateway has it, countersigns."""
