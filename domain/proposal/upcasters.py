"""How the stored shape of an older event becomes today's; see `domain.child_record.upcasters`."""

from domain.kernel import Upcasters, nothing_new

UPCASTERS: Upcasters = {
    ("act-proposed", 1): (nothing_new, 2),
}
