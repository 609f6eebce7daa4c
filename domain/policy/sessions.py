"""For how long a session stands, and how long ago its holder gave a second factor: pure, by the rules of the day."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from domain.ports import Session
from domain.rule_set.model import RuleSet


def stands(session: Session, at: datetime, rules: RuleSet) -> bool:
    """Whether a session has lapsed neither by idleness nor by age. Whether its account is let in is asked elsewhere."""
    return at - session.seen_at < idle_limit(rules) and at - session.began_at < age_limit(rules)


def idle_limit(rules: RuleSet) -> timedelta:
    """Without a command for so long a session lapses."""
    return timedelta(minutes=rules.signing_in.idle_minutes)


def age_limit(rules: RuleSet) -> timedelta:
    """So long after it began a session lapses, however busy."""
    return timedelta(minutes=rules.signing_in.most_minutes)


def step_up_period(rules: RuleSet) -> timedelta:
    """For so long a second factor counts as fresh."""
    return timedelta(minutes=rules.signing_in.step_up_minutes)


def stepped_up_within(session: Session | None, period: timedelta, now: datetime) -> bool:
    """Whether the holder of a session gave a second factor no longer than `period` before `now`, and not after it.

    Without a session, as where --as says who acts in a training home, nobody did.
    """
    if session is None or session.proved_at is None:
        return False
    return timedelta() <= now - session.proved_at < period


def used_by_turns(session: Session, own: Sequence[Session], at: datetime, rules: RuleSet) -> Session | None:
    """The other session of an account that was used between this one's last use and now, all within the rules' minutes.

    Nobody is at two places within them: that is two people. own: the sessions of the account. None: there is none.
    """
    minutes = rules.signing_in.by_turns_minutes
    if minutes is None or at - session.seen_at >= timedelta(minutes=minutes):
        return None
    others = (one for one in own if one.session_id != session.session_id)
    return next((one for one in others if session.seen_at < one.seen_at <= at), None)
