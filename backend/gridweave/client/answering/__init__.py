"""Assets that answer: batteries, buildings, cars; they obey setpoints within physics, and say what they can commit."""
