"""Other protocols than REST over the same services: MQTT for devices."""
