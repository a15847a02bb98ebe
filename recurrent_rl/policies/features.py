"""A feature extractor for vector observations; Stable-Baselines3's own (flatten, NatureCNN, Dict) serve the rest."""

from collections.abc import Sequence

from gymnasium import spaces
from stable_baselines3.common.preprocessing import get_flattened_obs_dim
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor, create_mlp
from torch import Tensor, nn

from recurrent_rl.policies.layers import Layers


class MLPFeatures(BaseFeaturesExtractor):
    """Flatten the observation and pass it through fully connected layers before the memory reads it.

    Give it by `policy_kwargs=dict(features_extractor_class=MLPFeatures, features_extractor_kwargs=dict(widths=[128]))`.

    Args:
        observation_space: Any space that SB3 flattens (not Dict).
        widths: Output size of each layer, at least one.
        activation_fn: Follows every layer.
    """

    def __init__(
        self,
        observation_space: spaces.Space,
        widths: Sequence[int] = (64,),
        activation_fn: type[nn.Module] = nn.Tanh,
    ) -> None:
        if not widths:
            raise ValueError(
                "MLPFeatures needs at least one width, such as widths=[64]; for none, use FlattenExtractor."
            )
        super().__init__(observation_space, features_dim=widths[-1])
        layers = create_mlp(get_flattened_obs_dim(observation_space), -1, list(widths), activation_fn)
        self.layers = Layers(nn.Flatten(), *layers)

    def forward(self, observations: Tensor) -> Tensor:
        """[B, ...] -> [B, widths[-1]]."""
        return self.layers(observations.float())
