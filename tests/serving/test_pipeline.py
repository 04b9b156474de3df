"""Results come in order, few items are taken ahead, and the first error ends everything."""

import threading

import pytest

from leadlift.serving.pipeline import WAITING, in_order

THREADS = pytest.mark.parametrize("threads", [1, 2, 5])


@THREADS
def test_results_come_in_the_order_of_the_items(threads):
    assert list(in_order(lambda i: i * i, range(50), threads)) == [i * i for i in range(50)]


@THREADS
def test_no_items_give_no_results(threads):
    assert list(in_order(abs, [], threads)) == []


def test_a_slow_first_item_does_not_let_later_ones_pass():
    later_is_done = threading.Event()

    def work(item):
        if item == 0:
            assert later_is_done.wait(timeout=60)
        else:
            later_is_done.set()
        return item

    assert list(in_order(work, range(4), threads=2)) == [0, 1, 2, 3]


@THREADS
def test_a_slow_consumer_holds_up_the_reader(threads):
    taken = []
    results = in_order(abs, (taken.append(i) or i for i in range(100)), threads)
    next(results)
    assert len(taken) <= threads + WAITING
    results.close()


@THREADS
def test_an_error_of_the_work_ends_the_stream(threads):
    taken = []

    def work(item):
        if item == 3:
            msg = "no such lead"
            raise KeyError(msg)
        return item

    results = in_order(work, (taken.append(i) or i for i in range(100)), threads)
    with pytest.raises(KeyError, match="no such lead"):
        list(results)
    assert len(taken) <= 3 + threads + WAITING + 1


@THREADS
def test_an_error_of_the_reader_reaches_the_consumer(threads):
    def items():
        yield from (1, 2)
        msg = "the file ends here"
        raise OSError(msg)

    with pytest.raises(OSError, match="the file ends here"):
        list(in_order(abs, items(), threads))
    assert not _scoring_threads()


def test_no_thread_outlives_the_stream():
    results = in_order(abs, range(100), threads=3)
    next(results)
    assert _scoring_threads()
    results.close()
    assert not _scoring_threads()


def _scoring_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("leadlift-score")]
