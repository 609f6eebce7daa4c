"""How the stored shape of an older event becomes today's.

An entry says: the fields stored under this name and version become, by this function, the fields of the next version.
The function is given the fields that could be opened, as JSON holds them (content that is hidden or forgotten is
absent), and returns new ones; it may not ask for more than it is given.
"""

from domain.kernel import Upcasters, nothing_new

UPCASTERS: Upcasters = {
    ("involvement-contact-given", 1): (nothing_new, 2),
    ("sensitive-involvement-grounded", 1): (nothing_new, 2),
}
