"""The ground everything stands on: clock, errors, channels, configuration, logs, the MQTT client."""
