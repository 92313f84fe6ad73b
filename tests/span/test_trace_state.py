"""The caller's state as a mapping of the API's."""

from __future__ import annotations

from otel_aiohttp_logs.span.trace_state import parse_trace_state


def test_a_tracestate_reads_and_changes_like_the_apis():
    """It is a mapping; a change makes a new one with the pair in front."""
    state = parse_trace_state(["a=1,b@x=2"])

    assert dict(state) == {"a": "1", "b@x": "2"}
    assert (state["a"], "a" in state, "c" in state, len(state)) == ("1", True, False, 2)
    assert list(state.keys()) == ["a", "b@x"]
    assert list(state.items()) == [("a", "1"), ("b@x", "2")]
    assert list(state.values()) == ["1", "2"]
    assert state.add("c", "3").to_header() == "c=3,a=1,b@x=2"
    assert state.add("a", "9") is state
    assert state.update("b@x", "9").to_header() == "b@x=9,a=1"
    assert state.update("B", "9") is state
    assert state.delete("a").to_header() == "b@x=2"
    assert state.to_header() == "a=1,b@x=2"


def test_a_change_to_a_doubled_key_replaces_all_of_it():
    """What is new stands in front, and the old ones are gone."""
    state = parse_trace_state(["a=1,b=2,a=3"])

    assert state["a"] == "1"
    assert state.update("a", "4").to_header() == "a=4,b=2"
    assert state.delete("a").to_header() == "b=2"


def test_a_full_state_takes_no_more():
    """32 members are the most; one that is there already can be changed."""
    state = parse_trace_state([",".join(f"k{i}=1" for i in range(32))])

    assert state.add("more", "1") is state
    assert state.update("k31", "2").to_header().startswith("k31=2,k0=1,")
