"""From updates or a time to epochs and steps: the table, and the longest training that fits."""

import pytest

from keras_gen import zoo
from keras_gen.training.length import (
    TRAINING,
    Length,
    Part,
    Speed,
    fit_into,
    follow_length,
    length_of,
    pretraining_epochs,
)


@pytest.mark.parametrize(
    "images, batch_size, updates, expected",
    [
        (20, 16, 5_600, (50, 112)),  # an epoch is 56 passes of two batches
        (18_000, 64, 5_600, (20, None)),  # 19.9 passes
        (1_000, 128, 5_600, (50, 112)),
        (3_900, 128, 5_600, (50, 112)),
        (18_000, 128, 5_600, (40, None)),  # an epoch is one pass
        (18_000, 128, 9_400, (67, None)),
        (55_000, 128, 5_600, (20, 280)),  # an epoch is a part of a pass
        (160_000, 16, 5_600, (20, 280)),
        (18_000, 128, 7, (7, 1)),
        (1, 1, 100, (100, None)),
        (1, 1, 101, (34, 3)),
    ],
)
def test_the_epochs_of_a_number_of_updates(images, batch_size, updates, expected):
    assert length_of(updates, -(-images // batch_size)) == expected


def test_every_length_has_the_updates_and_a_sensible_number_of_epochs():
    for updates in (*range(1, 60), 100, 997, 5_600, 9_400, 10**6):
        for batches in (1, 2, 3, 7, 30, 99, 141, 430, 10_000):
            epochs, steps = length_of(updates, batches)
            steps = steps or batches
            assert updates <= epochs * steps < updates + steps
            assert min(updates, 11) <= epochs <= 100, (updates, batches)


def test_chosen_steps_are_kept():
    assert length_of(100, 7, steps=30) == (4, 30)
    assert pretraining_epochs({"first": 100, "second": 0, "third": 1}, 30) == {"first": 4, "third": 1}
    assert pretraining_epochs({"first": 100, "second": 5}, 30, requested=2) == {"first": 2, "second": 2}
    assert pretraining_epochs({"first": 100}, 30, requested=0) == {}


def test_the_longest_training_that_fits():
    # E epochs of one pass take 5 + E (10 * 0.5 + 0.5) s
    plan = fit_into(477.0, [Part(TRAINING, 1, Speed(0.5, 0.5, 5.0))], 10)
    assert plan == ((85, None), {}, 472.5)
    # parts of a pass: E epochs of n steps take E (n * 0.5 + 2) s, here for 323 updates
    plan = fit_into(200.0, [Part(TRAINING, 9_400, Speed(0.5, 2.0, 0.0))], 1000)
    assert plan == ((19, 17), {}, 199.5)


def test_there_are_fewer_epochs_where_a_validation_takes_long():
    plan = fit_into(600.0, [Part(TRAINING, 9_400, Speed(0.1, 30.0, 0.0))], 1000)
    assert plan.length == (4, 1200) and plan.seconds == pytest.approx(600)
    growing = fit_into(600.0, [Part(TRAINING, 9_400, Speed(0.1, 30.0, 0.0))], 1000, min_epochs=18)
    assert growing.length.epochs == 18


def test_pretraining_has_its_share_of_the_updates():
    parts = [
        Part("embedding", 2_000, Speed(0.02, 0.0, 4.0)),
        Part("vae", 8_000, Speed(0.05, 0.0, 3.0)),
        Part(TRAINING, 4_000, Speed(0.1, 0.0, 2.0)),
    ]
    # 840 s for the default updates, and 9 s to compile
    plan = fit_into(849.0, parts, 100)
    assert plan == ((40, None), {"embedding": 20, "vae": 80}, 849.0)
    half = fit_into(429.0, parts, 100)
    assert half == ((20, None), {"embedding": 10, "vae": 40}, 429.0)
    chosen = fit_into(849.0, parts, 100, pretraining=0)
    assert chosen.pretraining == {} and chosen.length == (84, None)


def test_the_shortest_training_where_nothing_fits():
    parts = [Part("vae", 100, Speed(1.0, 0.0, 10.0)), Part(TRAINING, 100, Speed(1.0, 5.0, 10.0))]
    assert fit_into(0.0, parts, 10) == ((1, 1), {"vae": 1}, 27.0)
    assert fit_into(0.0, parts, 10, steps=7).length == (1, 7)


class TestFollowing:
    def following(self, key, length, *, shape=(64, 64, 3), batch_size=None, **settings):
        system = zoo.get(key)
        return follow_length(system, {**system.settings, **settings}, shape, length, batch_size or system.batch_size)

    def test_the_half_life_of_a_puzzle(self):
        assert self.following("puzzlegan", Length(20, 280)) == {"half_life": 5000}
        assert self.following("puzzlegan", Length(20, 28)) == {"half_life": 500}
        assert self.following("puzzlegan", Length(20, 28), half_life=70) == {}  # the user's

    @pytest.mark.parametrize(
        "length, size, images, epochs_of_phases",
        [
            (Length(24, 250), 64, 16_000, [1, 1, 1, 1, 1, 2, 2, 4]),
            (Length(20, 300), 64, 9_600, [1, 1, 1, 1, 1, 1, 1, 2]),
            (Length(100, 60), 64, 15_360, [4, 4, 4, 4, 4, 8, 8, 16]),
            (Length(20, 300), 128, 4_800, [1] * 10),
            (Length(9, 10), 64, 1, [1] * 8),
        ],
    )
    def test_growing(self, length, size, images, epochs_of_phases):
        following = self.following("progan", length, shape=(size, size, 3))
        assert following == {"fade_images": images, "stable_images": images}
        sides = [4 << (number + 1) // 2 for number in range(len(epochs_of_phases))]
        in_epoch = [16 * min(4, size // side) * length.steps for side in sides]
        assert [-(-images // each) for each in in_epoch] == epochs_of_phases
        chosen = self.following("progan", length, shape=(size, size, 3), fade_images=800_000)
        assert chosen == {"stable_images": images}

    def test_other_systems_have_no_such_settings(self):
        assert self.following("vae", Length(20, 300)) == {}
