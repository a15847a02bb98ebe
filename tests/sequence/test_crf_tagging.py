"""Tags that are told together: the loss is that of whole sequences, and no entity goes on that none began."""

import numpy as np
import pytest
import torch

from recurrent_rl.memory import GRU, LSTM
from recurrent_rl.sequence.batch import IGNORED, Batch
from recurrent_rl.sequence.crf import log_probability
from recurrent_rl.sequence.crf_head import field_of
from recurrent_rl.sequence.crf_tagging import CRFTagging, impossible
from recurrent_rl.sequence.data import stand_in
from recurrent_rl.sequence.data.entities import EntityTagging, tag_names
from recurrent_rl.sequence.data.words import WordExamples
from recurrent_rl.sequence.models import Bidirectional, Inputs, SequenceNetwork
from recurrent_rl.sequence.training import TrainConfig, Trainer, predict

NAMES = tag_names(("per", "loc"))
PROBLEM = CRFTagging(len(NAMES))


def tags(text):
    return np.array([NAMES.index(tag) for tag in text.split()])


def examples(*targets):
    rows = [np.arange(len(row)) for row in targets]
    words = [["w"] * len(row) for row in targets]
    return WordExamples(rows, list(targets), None, words, [np.zeros(len(row), dtype=bool) for row in targets])


def network(problem):
    """A network whose table says something."""
    torch.manual_seed(0)
    made = SequenceNetwork(Bidirectional(memory=LSTM(hidden_size=8)), Inputs(symbols=12, size=6), problem)
    torch.nn.init.normal_(made.head.table)
    return made


def scored():
    return examples(tags("B-per I-per O"), np.array([0, IGNORED, 3, 4, IGNORED]), tags("B-loc"))


def test_before_and_after_each_tag_stand_those_that_may():
    never = impossible(5)
    assert never[:5].nonzero().tolist() == [[0, 2], [0, 4], [1, 4], [2, 4], [3, 2], [4, 2]]
    assert never[5].nonzero().squeeze(1).tolist() == [2, 4]
    assert not never[6].any()


def test_before_training_it_is_the_loss_of_independent_tags():
    plain, chained = EntityTagging(5), PROBLEM
    batch = chained.batch(examples(tags("B-per I-per O"), tags("B-loc")), [0, 1])
    made = network(chained).double()
    torch.nn.init.zeros_(made.head.table)
    numbers, _ = made(batch)
    losses = chained.losses(numbers, batch)
    torch.testing.assert_close(losses.mean(), plain.losses(numbers[..., :5], batch).mean())


def test_losses_are_of_scored_steps_and_sum_to_that_of_the_sequences():
    batch = PROBLEM.batch(scored(), [0, 1, 2])
    numbers, _ = network(PROBLEM).double()(batch)
    losses = PROBLEM.losses(numbers, batch)
    log_p = log_probability(field_of(numbers, 5), batch.targets, batch.lengths)
    assert len(losses) == 7
    torch.testing.assert_close(losses.sum(), -log_p.sum())
    torch.testing.assert_close(losses[:3], (-log_p[0] / 3).expand(3))


@pytest.mark.parametrize("forbid", [False, True])
def test_padding_changes_neither_losses_nor_gradients(forbid):
    problem, found = CRFTagging(5, forbid=forbid), []
    made, batch = network(problem).double(), problem.batch(scored(), [0, 1, 2])
    longer = Batch(
        torch.cat([batch.inputs, torch.full((3, 3), 11)]),
        batch.lengths,
        torch.cat([batch.targets, torch.full((3, 3), IGNORED)]),
    )
    for one in (batch, longer):
        losses = problem.losses(made(one)[0], one)
        found.append([losses, *torch.autograd.grad(losses.square().sum(), list(made.parameters()))])
    torch.testing.assert_close(*found, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("forbid", [False, True])
def test_nats_are_the_mean_loss(forbid):
    problem = CRFTagging(5, forbid=forbid)
    made, some = network(problem), scored()
    batch = problem.batch(some, [0, 1, 2])
    nats = problem.scores(predict(made, problem, some), some)["nats"]
    assert nats == pytest.approx(problem.losses(made(batch)[0], batch).mean().item(), rel=1e-5)


def test_scores_are_those_of_the_tags_that_are_likeliest_together():
    """Alone the first word is outside; what follows it says that it begins an entity."""
    emission = torch.full((2, 1, 5), -10.0)
    emission[0, 0, [0, 1]] = torch.tensor([1.0, 0.9])
    emission[1, 0, 2] = 1.0
    table = torch.zeros(7, 5).masked_fill(impossible(5), -torch.inf).flatten()
    numbers = torch.cat([emission, table.expand(2, 1, -1)], dim=-1)
    some, predicted = examples(tags("B-per I-per")), [numbers[:, 0].numpy()]
    assert PROBLEM.tags(predicted)[0].tolist() == [1, 2]
    found = PROBLEM.scores(predicted, some)
    assert (found["f1"], found["accuracy"]) == (100.0, 100.0)
    assert EntityTagging(5).scores([numbers[:, 0, :5].numpy()], some)["accuracy"] == 50.0


def test_forbidden_tags_are_never_found_however_a_network_scores_them():
    rng, never = np.random.default_rng(0), impossible(5)
    rows = examples(*(rng.integers(5, size=length) for length in rng.integers(1, 9, size=40)))

    def wrong(problem):
        made = network(problem)
        with torch.no_grad():
            made.head.emission.bias[[2, 4]] += 5
        found = problem.tags(predict(made, problem, rows))
        return sum(int(never[[5, *tags[:-1].tolist()], tags.tolist()].sum()) for tags in found)

    assert wrong(CRFTagging(5, forbid=True)) == 0
    assert wrong(PROBLEM) > 20


def test_training_that_holds_what_is_forbidden_is_refused():
    problem, wrong = CRFTagging(5, forbid=True), examples(tags("B-per I-per"), tags("O I-loc"))
    with pytest.raises(ValueError, match=r"Example 1 of training has the tag 4 at step 1.*forbid=False"):
        problem.begin(problem.head(4), wrong)
    with pytest.raises(ValueError, match="tag 2 at step 0"):
        problem.begin(problem.head(4), examples(tags("I-per")))
    problem.begin(problem.head(4), examples(np.array([1, IGNORED, 4]), tags("B-loc I-loc I-loc B-loc")))
    PROBLEM.begin(PROBLEM.head(4), wrong)


def test_a_trained_network_finds_entities():
    splits, problem = stand_in("tweet-entities"), CRFTagging(21, forbid=True)
    torch.manual_seed(0)
    spec, inputs = Bidirectional(memory=GRU(hidden_size=16)), Inputs(symbols=4546, columns=6, size=16)
    made = SequenceNetwork(spec, inputs, problem)
    config = TrainConfig(learning_rate=2e-2, steps=120, batch_size=16, evaluate_every=60)
    fitted = Trainer(made, problem, "f1", True, config).fit(splits.train, splits.validation)
    assert fitted.score > 60


def test_pieces_that_begin_within_an_entity_need_the_freedom_to():
    data, config = examples(tags("O O O B-per I-per I-per")), TrainConfig(steps=2, batch_size=1, bptt_horizon=4)
    for problem in (PROBLEM, CRFTagging(5, forbid=True)):
        trainer = Trainer(network(problem), problem, "f1", True, config)
        if not problem.forbid:
            trainer.fit(data, data)
            continue
        with pytest.raises(ValueError, match=r"begins within an entity.*without bptt_horizon"):
            trainer.fit(data, data)
