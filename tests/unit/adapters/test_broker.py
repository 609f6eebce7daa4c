"""What a local broker is prepared with."""

from base64 import urlsafe_b64encode

from adapters.kafka.broker import cluster_id


def test_an_id_that_a_tool_would_take_for_an_option_is_drawn_again() -> None:
    drawn = iter([b"\xfb" + bytes(15), b"\xf8" + bytes(15), b"\x04" + bytes(15)])
    assert urlsafe_b64encode(b"\xf8" + bytes(15)).startswith(b"-")
    assert cluster_id(lambda _: next(drawn)) == "BAAAAAAAAAAAAAAAAAAAAA"
    assert next(drawn, None) is None
