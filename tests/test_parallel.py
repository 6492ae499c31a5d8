import pytest

from pipeline.parallel import Order

GRAPH = {
    "check": [],
    "data": ["check"],
    "train@a": ["data"],
    "train@b": ["data"],
    "judge@a": ["train@a"],
    "export@b": ["train@b"],
    "compare@b": ["export@b"],
}


def test_a_stage_waits_for_those_that_it_reads():
    order, done = Order(GRAPH), []
    for name in order:
        assert set(GRAPH[name]) <= set(done)
        done.append(name)
        order.done(name)
    assert sorted(done) == sorted(GRAPH)


def test_the_longest_chain_goes_first():
    order = Order(GRAPH)
    for name in order:
        if name == "train@b":  # before `train@a`, which stands first
            return
        assert name in ("check", "data")
        order.done(name)
    pytest.fail("train@b was not reached")


def test_nothing_is_given_out_that_waits_for_a_stage_that_runs():
    order = Order(GRAPH)
    assert [*order] == ["check"]
    order.done("check")
    assert [*order] == ["data"]
    order.done("data")
    assert [*order] == ["train@b", "train@a"]
