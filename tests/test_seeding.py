from pipeline.seeding import derive


def test_each_purpose_has_its_own_number_and_keeps_it():
    assert derive(42, "batch order", 1) == derive(42, "batch order", 1)
    numbers = {derive(seed, purpose, epoch) for seed in range(9) for purpose in ("a", "b") for epoch in range(9)}
    assert len(numbers) == 9 * 2 * 9
    assert all(0 <= number < 2**63 for number in numbers)


def test_the_numbers_are_the_same_in_every_release():
    # A change here would change every trained model.
    assert derive(42, "initial weights") == 9146326689688228731
