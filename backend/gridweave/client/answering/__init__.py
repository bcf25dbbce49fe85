"""Assets that answer: batteries, buildings and cars that obey setpoints within physics, and say what they can commit."""
