"""A sealer until it is killed, or has caught up. Run by `test_sealer.py`, with all that it needs as arguments."""

import sys
from pathlib import Path

from adapters.faults import FaultAt, Reach, no_fault
from adapters.postgres.databases import Database
from domain.kernel import Log
from tests.seals import postgres_site

if __name__ == "__main__":
    url, folder, point, nth = sys.argv[1:]
    reach: Reach = FaultAt(point, int(nth)) if point else no_fault
    site = postgres_site(Database("record", url), Path(folder), Log.RECORD, reach)
    print("ready", flush=True)
    site.sealer(batch=100, reach=reach).run(until_caught_up=True)
    site.close()
    print("caught up", flush=True)
