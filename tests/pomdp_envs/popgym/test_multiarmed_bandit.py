import numpy as np
import pytest

from pomdp_envs import BatchedEnv
from pomdp_envs.popgym import MultiarmedBandit

ARMS = {"Easy": 10, "Medium": 20, "Hard": 30}
LENGTHS = {"Easy": 200, "Medium": 400, "Hard": 600}


class GivenNumbers:
    """Stands in for NumPy's generator: gives the probabilities at a reset and then one number per pull."""

    def __init__(self, chances: np.ndarray) -> None:
        self.chances, self.number = chances, 0.0

    def random(self, size=None, dtype=None):
        if size is None:
            return self.number
        assert dtype is np.float32
        assert self.chances.dtype == dtype
        assert self.chances.shape == (size,)
        return self.chances.copy()


def inject(theirs, hidden):
    theirs._np_random = GivenNumbers(hidden[:-1])
    return theirs.reset()[0]


@pytest.mark.parametrize("difficulty", ARMS)
def test_every_step_equals_popgyms(assert_agrees_with_popgym, monkeypatch, difficulty, episodes):
    pulls = []
    transition = MultiarmedBandit.transition

    def recorded(self, state, action, uniforms):
        pulls.extend(uniforms[0].tolist())
        return transition(self, state, action, uniforms)

    def give_number(theirs, hidden):
        theirs._np_random.number = pulls.pop(0)

    monkeypatch.setattr(MultiarmedBandit, "transition", recorded)
    steps = assert_agrees_with_popgym("MultiarmedBandit" + difficulty, inject, episodes, give_number)
    assert steps >= episodes * LENGTHS[difficulty]
    assert not pulls


def test_a_number_that_rounds_to_the_probability_does_not_pay_as_in_popgym():
    Theirs = pytest.importorskip("popgym.envs").MultiarmedBandit
    chance = np.float32(0.3)
    below = float(chance) - 1e-12  # less than the probability, but not when it is rounded to float32 first
    theirs = Theirs(2, 10)
    theirs.reset(seed=0)
    theirs._np_random = GivenNumbers(np.array([chance, 0.5], dtype=np.float32))
    theirs.reset()
    theirs._np_random.number = below
    state = np.array([[chance], [0.5], [0]], dtype=np.float32)
    for arm in (0, 1):
        _, reward, _ = MultiarmedBandit(2, 10).transition(state, np.array([arm]), np.array([[below]]))
        assert reward[0] == theirs.step(arm)[1] == (-0.1, 0.1)[arm]


def test_probabilities_are_uniform_independent_and_on_popgyms_grid():
    env = BatchedEnv(MultiarmedBandit(10), 5000)
    env.reset(seed=0)
    chances = env.hidden_state()[:, :-1]
    assert (chances * 2**24 % 1 == 0).all()
    assert (chances * 2**24 % 2 == 1).any()
    assert chances.max() < 1
    for arm in chances.T:
        observed = np.histogram(arm, bins=20, range=(0, 1))[0]
        assert ((observed - 250) ** 2 / 250).sum() < 19 + 5 * np.sqrt(38)
    assert np.abs(np.corrcoef(chances.T) - np.eye(10)).max() < 5 / np.sqrt(5000)


def test_an_arm_pays_as_often_as_its_probability_says():
    env = BatchedEnv(MultiarmedBandit(3, 400), 100)
    env.reset(seed=1)
    chances = env.hidden_state()[:, :-1]
    arms = np.arange(100) % 3
    paid = np.zeros(100)
    for _ in range(399):
        seen, rewards, *_ = env.step(arms)
        np.testing.assert_array_equal(seen == 1, rewards > 0)
        paid += seen
    expected = 399 * chances[np.arange(100), arms]
    scores = (paid - expected) / np.sqrt(expected * (1 - expected / 399) + 1e-3)
    assert abs(scores.mean()) < 0.5
    assert 0.7 < scores.std() < 1.3


def test_bad_arguments_are_refused():
    with pytest.raises(ValueError, match="num_bandits must be an integer of at least 2, not 1"):
        MultiarmedBandit(1)
    with pytest.raises(ValueError, match="time_limit must be an integer"):
        MultiarmedBandit(3, 2.5)
