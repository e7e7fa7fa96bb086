"""Logging set up once, in one line format, to standard error."""

import logging
import sys


def set_up(level: str = "INFO") -> None:
    """Send log records of ``level`` and above to standard error as ``time level part: message``."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # its tracebacks say what a line of ours says already: the database is away
    logging.getLogger("asyncpg.pool").setLevel(logging.CRITICAL)


def logger(part: str) -> logging.Logger:
    """Return the logger of a part, for example ``logger("ingest.lane")``."""
    return logging.getLogger(f"firetower.{part}")
