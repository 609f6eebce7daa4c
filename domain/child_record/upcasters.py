"""How the stored shape of an older event becomes today's. Empty until an event class is followed by a new version.

An entry says: the fields stored under this name and version become, by this function, the fields of the next version.
The function is given the fields that could be opened, as JSON holds them (content that is hidden or forgotten is
absent), and returns new ones; it may not ask for more than it is given.
"""

from domain.kernel import Upcasters

UPCASTERS: Upcasters = {}
