"""The program of a device that measures: it signs what it measured, keeps it until a gateway has it, countersigns."""

from gridweave.client.measuring.device import SigningPace, StreamDevice
from gridweave.client.measuring.http_link import HttpLink
from gridweave.client.measuring.mqtt_link import BrokerPass, MqttLink
from gridweave.client.measuring.pump import Patience, Pump
from gridweave.client.measuring.session import by_session

__all__ = ["BrokerPass", "HttpLink", "MqttLink", "Patience", "Pump", "SigningPace", "StreamDevice", "by_session"]
