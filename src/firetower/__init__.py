"""Firetower (望火楼): the monitoring backend of a city's smart fire protection."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("firetower")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0+unknown"
