import torch

from recurrent_rl.functional import clip_value_change, clipped_surrogate, kl_k3


def test_surrogate_has_no_gradient_beyond_the_clip_range_on_the_improving_side():
    log_ratio = torch.tensor([0.5, -0.5, 0.5, -0.5, 0.05], requires_grad=True)
    advantages = torch.tensor([1.0, 1.0, -1.0, -1.0, 1.0])
    clipped_surrogate(log_ratio, advantages, 0.2).sum().backward()
    assert (log_ratio.grad != 0).tolist() == [False, True, True, False, True]


def test_surrogate_at_ratio_one_is_the_advantage():
    advantages = torch.randn(4, 3)
    assert torch.equal(clipped_surrogate(torch.zeros(4, 3), advantages, 0.2), advantages)


def test_k3_is_never_negative_and_its_mean_is_the_exact_kl():
    torch.manual_seed(0)
    old, new = torch.distributions.Normal(0.0, 1.0), torch.distributions.Normal(0.3, 1.2)
    actions = old.sample((400_000,))
    estimate = kl_k3(new.log_prob(actions) - old.log_prob(actions))
    exact = torch.distributions.kl_divergence(old, new)
    assert (estimate >= 0).all()
    assert abs(estimate.mean() - exact) < 0.01 * exact + 4 * estimate.std() / len(actions) ** 0.5


def test_value_change_is_clipped_to_the_range_or_not_at_all():
    old, new = torch.zeros(3), torch.tensor([-5.0, 0.1, 5.0])
    assert clip_value_change(new, old, 0.5).tolist() == [-0.5, new[1].item(), 0.5]
    assert clip_value_change(new, old, None) is new
