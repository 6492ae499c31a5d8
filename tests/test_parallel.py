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


@pytest.fixture
def order():
    return Order(GRAPH)


def test_a_stage_waits_for_those_that_it_reads(order):
    done = []
    while order.ready:
        name = order.take()
        assert set(GRAPH[name]) <= set(done)
        done.append(name)
        order.done(name)
    assert sorted(done) == sorted(GRAPH)


def test_the_longest_chain_goes_first(order):
    for name in ("check", "data"):
        assert order.ready == [name]
        order.done(order.take())
    assert [order.take(), order.take()] == ["train@b", "train@a"]


def test_nothing_is_ready_that_waits_for_a_stage_that_runs(order):
    assert order.take() == "check" and order.ready == []
    order.done("check")
    assert order.take() == "data" and order.ready == []
