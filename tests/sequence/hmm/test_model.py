"""A model's likelihood is its parts', padding changes nothing, gradients are right, and bad sequences are told."""

import numpy as np
import pytest
import torch
from torch.func import functional_call

from recurrent_rl.sequence.hmm import (
    HMM,
    Bernoulli,
    Categorical,
    Ergodic,
    Gaussian,
    GaussianMixture,
    LeftRight,
    fit_counts,
    initialise,
    log_likelihoods,
    paths,
    posteriors,
)
from tests.sequence.hmm.chains import EMISSIONS, SPECS, batch, built, enumerate_paths, log_total, sequences

LENGTHS = [4, 1, 6, 3]


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_likelihood_and_best_path_are_those_of_enumeration(spec):
    model, inputs = built(spec), sequences(spec, [4, 1, 6, 3])
    for row, value, path in zip(inputs, log_likelihoods(model, inputs), paths(model, inputs), strict=True):
        with torch.no_grad():
            emission = model.emission.log_prob(torch.from_numpy(row)).numpy()
            found, joint = enumerate_paths(model.log_start().numpy(), model.log_transition().numpy(), emission)
        np.testing.assert_allclose(value, log_total(joint), rtol=1e-12)
        assert path.tolist() == found[joint.argmax()].tolist()


def test_bernoulli_density_is_a_product_of_bits():
    model = built(HMM(states=2, emission=Bernoulli(features=3)))
    share = torch.sigmoid(model.emission.logits.detach())
    bits = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * 3)  # [8, 3]
    wanted = torch.where(bits.unsqueeze(1) == 1, share, 1 - share).prod(-1)
    found = model.emission.log_prob(bits).exp()
    torch.testing.assert_close(found, wanted)
    torch.testing.assert_close(found.sum(0), torch.ones(2, dtype=torch.float64))


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.topology != LeftRight(jump=2)], ids=repr)
def test_padding_changes_neither_likelihoods_nor_gradients(spec):
    model, results = built(spec), []
    inputs, lengths = batch(sequences(spec, LENGTHS))
    garbage = torch.cat([inputs, torch.zeros_like(inputs)])
    outside = torch.arange(len(garbage)).unsqueeze(1) >= lengths
    garbage[outside] = garbage.new_tensor(-7 if isinstance(spec.emission, Categorical) else torch.nan)
    for padded in (inputs, garbage):
        values = model(padded, lengths)
        gradients = torch.autograd.grad(values.square().sum(), list(model.parameters()))
        results.append((values, *gradients))
    for one, other in zip(*results, strict=True):
        assert one.isfinite().all()
        torch.testing.assert_close(one, other, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_batches_give_what_single_sequences_give(spec):
    model, inputs = built(spec), sequences(spec, LENGTHS)
    together = log_likelihoods(model, inputs)
    alone = [log_likelihoods(model, [row])[0] for row in inputs]
    np.testing.assert_allclose(together, alone, rtol=1e-12)


@pytest.mark.parametrize("spec", [spec for spec in SPECS if spec.topology != LeftRight(jump=2)], ids=repr)
def test_gradients_pass_the_numerical_check(spec):
    model = built(spec)
    inputs, lengths = batch(sequences(spec, [3, 1, 4]))
    names, values = zip(*model.named_parameters(), strict=True)

    def likelihood(*parameters):
        return functional_call(model, dict(zip(names, parameters, strict=True)), (inputs, lengths))

    assert torch.autograd.gradcheck(likelihood, [value.detach().clone().requires_grad_() for value in values])


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_steps_of_an_optimiser_raise_the_likelihood_and_keep_the_topology(spec):
    model = built(spec)
    inputs, lengths = batch(sequences(spec, [20, 8, 15]))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.05)
    before = float(model(inputs, lengths).sum().detach())
    for _ in range(30):
        optimiser.zero_grad()
        (-model(inputs, lengths).sum()).backward()
        optimiser.step()
    assert float(model(inputs, lengths).sum().detach()) > before + 1
    start, follow = spec.topology.allowed(3)
    assert (model.log_start().exp()[~start] == 0).all()
    assert (model.log_transition().exp()[~follow] == 0).all()


@pytest.mark.parametrize("spec", SPECS, ids=repr)
def test_a_state_dict_is_all_of_a_model(spec):
    inputs = sequences(spec, [9, 5])
    model = initialise(spec, inputs, seed=3)
    other = built(spec, seed=9)
    other.load_state_dict(model.state_dict())
    assert all(isinstance(value, torch.Tensor) for value in model.state_dict().values())
    np.testing.assert_array_equal(log_likelihoods(model, inputs), log_likelihoods(other, inputs))


@pytest.mark.parametrize("emission", EMISSIONS, ids=repr)
def test_single_precision_gives_nearly_the_same(emission):
    spec = HMM(states=3, emission=emission)
    model, inputs = built(spec), sequences(spec, [30, 12])
    wanted = log_likelihoods(model, inputs)
    np.testing.assert_allclose(log_likelihoods(model.float(), inputs), wanted, rtol=1e-5)


@pytest.mark.parametrize("kind", ["uint8", "int8", "uint16", "int32", "uint64"])
def test_symbols_of_any_whole_type_are_read(kind):
    spec = HMM(states=3, emission=Categorical(symbols=4))
    model, inputs = built(spec), sequences(spec, LENGTHS)
    others = [row.astype(kind) for row in inputs]
    np.testing.assert_array_equal(log_likelihoods(model, others), log_likelihoods(model, inputs))
    one, other = (log_likelihoods(initialise(spec, rows, seed=0), inputs) for rows in (inputs, others))
    np.testing.assert_array_equal(one, other)
    labels = [np.arange(len(row)) % 3 for row in inputs]
    one, other = (log_likelihoods(fit_counts(spec, rows, labels), inputs) for rows in (inputs, others))
    np.testing.assert_array_equal(one, other)


def test_whole_numbers_beside_fractions_do_not_cut_them():
    model, inputs = built(HMM(states=2, emission=Gaussian())), [np.array([[1], [2]]), np.array([[0.5], [0.2], [0.7]])]
    wanted = log_likelihoods(model, [row.astype(np.float64) for row in inputs])
    np.testing.assert_array_equal(log_likelihoods(model, inputs), wanted)


@pytest.mark.parametrize("states", [1, 3, 5])
@pytest.mark.parametrize("jump", [1, 2, 9])
def test_left_right_goes_forward_by_at_most_its_jump(states, jump):
    start, follow = LeftRight(jump=jump).allowed(states)
    assert start.tolist() == [True] + [False] * (states - 1)
    for i in range(states):
        assert follow[i].nonzero().flatten().tolist() == list(range(i, min(i + jump, states - 1) + 1))


def test_left_right_cuts_every_sequence_in_order():
    generator = torch.Generator().manual_seed(0)
    found = LeftRight().segments([30, 1, 7], 4, generator)
    assert found is not None
    for part in found.split([30, 1, 7]):
        assert (part.diff() >= 0).all()
    assert found[:30].unique().tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize("jump", [1, 2])
def test_a_sequence_too_short_for_all_states_is_cut_as_its_jumps_allow(jump):
    generator = torch.Generator().manual_seed(0)
    found = LeftRight(jump=jump).segments([3, 1, 8], 10, generator)
    assert found is not None
    for part, most in zip(found.split([3, 1, 8]), (2 * jump, 0, min(9, 7 * jump)), strict=True):
        assert part[0] == 0
        assert part[-1] == most
        assert ((part.diff() >= 0) & (part.diff() <= jump)).all()


def test_restarts_differ_by_seed_and_the_same_seed_gives_the_same():
    for emission in EMISSIONS:
        for topology in (Ergodic(), LeftRight()):
            spec = HMM(states=3, emission=emission, topology=topology)
            inputs = sequences(spec, [40, 30])
            values = [log_likelihoods(initialise(spec, inputs, seed), inputs).sum() for seed in (0, 0, 1)]
            assert values[0] == values[1]
            assert values[0] != values[2]


def test_initialisation_leaves_torchs_random_numbers_alone():
    spec = HMM(states=2, emission=Categorical(symbols=4))
    torch.manual_seed(0)
    wanted = torch.rand(1)
    torch.manual_seed(0)
    initialise(spec, sequences(spec, [5]), seed=4)
    assert torch.rand(1) == wanted


GAUSSIAN, SYMBOLS, BITS = Gaussian(features=2), Categorical(symbols=4), Bernoulli(features=2)
GOOD = np.zeros((3, 2))


@pytest.mark.parametrize(
    ("emission", "inputs", "message"),
    [
        (GAUSSIAN, [], "no sequences"),
        (GAUSSIAN, [GOOD, np.zeros((0, 2))], "Sequence 1 is empty"),
        (GAUSSIAN, [GOOD, np.zeros((3, 3))], r"Sequence 1 must be of shape \[T, 2\]"),
        (GAUSSIAN, [np.zeros(3)], r"Sequence 0 must be of shape \[T, 2\]"),
        (GAUSSIAN, [GOOD, np.array([[0.0, 1.0], [0.0, np.nan]])], "Sequence 1 is not finite at step 1"),
        (GaussianMixture(features=2), [np.array([[np.inf, 1.0]])], "Sequence 0 is not finite at step 0"),
        (GAUSSIAN, [[[0.0, 1.0]]], "must be a numpy array"),
        (SYMBOLS, [np.array([0, 4])], "has symbol 4"),
        (SYMBOLS, [np.array([0, -1])], "has symbol -1"),
        (SYMBOLS, [np.array([0.0, 1.0])], "whole-number symbols"),
        (SYMBOLS, [np.zeros(0, dtype=np.int64)], "Sequence 0 is empty"),
        (BITS, [np.array([[0.0, 0.5]])], "other than 0 and 1"),
        (BITS, [np.array([[0.0, np.nan]])], "not finite"),
    ],
)
def test_bad_sequences_are_one_clear_error(emission, inputs, message):
    spec = HMM(states=2, emission=emission)
    for function in (log_likelihoods, paths, posteriors):
        with pytest.raises(ValueError, match=message):
            function(built(spec), inputs)
    with pytest.raises(ValueError, match=message):
        initialise(spec, inputs, seed=0)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: HMM(states=0), "states must"),
        (lambda: HMM(pseudo_count=-1.0), "pseudo_count must"),
        (lambda: HMM(emission=Categorical), "emission must"),
        (lambda: HMM(topology=LeftRight), "topology must"),
        (lambda: LeftRight(jump=0), "jump must"),
        (lambda: Categorical(symbols=0), "symbols must"),
        (lambda: Categorical(pseudo_count=-0.1), "pseudo_count must"),
        (lambda: Bernoulli(features=0), "features must"),
        (lambda: Gaussian(variance_floor=0.0), "variance_floor must"),
        (lambda: GaussianMixture(components=0), "components must"),
    ],
)
def test_bad_fields_are_refused_by_name(make, message):
    with pytest.raises(ValueError, match=message):
        make()
