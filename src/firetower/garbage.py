"""How seldom Python's garbage collector looks through everything: meanwhile the event loop stands still."""

import gc

FULL_PASS_EVERY = 100
"""Lesser passes to a full one, which with 30,000 to 100,000 open alerts takes 60 to 140 ms.

At Python's 10 a flood of 100,000 and the snapshots of it brought twenty full passes, at 100 two. What is garbage waits
longer then: at worst, were all of it old and in cycles, it came to 60 MB and stayed there; at 1000 it grew beyond 500.
Nothing is set apart again later: what has become garbage since would never be freed.
"""


def set_apart() -> None:
    """Leave what there is now, a city, out of every later pass, and make full passes rare. Once started."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*gc.get_threshold()[:2], FULL_PASS_EVERY)
