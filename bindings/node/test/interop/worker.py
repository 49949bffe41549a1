"""The same worker in Python."""

import sys

import tenure

with tenure.open(sys.argv[1]) as store:
    for held in store.claims("work", lease=1, idle=3):
        with held, store.transaction() as tx:
            tx.finish(held)
            tx.put("done", held.text(), "python", expect=0)  # refused, had another committed it before
            tx.increment("counts", "python")
