import pytest
import torch
from specimens import SPECS, network, stored
from torch import nn

from pipeline.network import building


@torch.inference_mode()
def test_a_layer_equals_that_of_torch():
    ours = network("transformer", SPECS["text"], hidden_size=8, num_heads=2, num_layers=1, feedforward_size=12)
    (layer,) = ours.layers
    theirs = nn.TransformerEncoderLayer(8, 2, 12, batch_first=True, norm_first=True).eval()
    for mine, yours in (
        (layer.attention_norm, theirs.norm1),
        (layer.feedforward_norm, theirs.norm2),
        (layer.attention, theirs.self_attn.out_proj),
        (layer.widen, theirs.linear1),
        (layer.narrow, theirs.linear2),
    ):
        yours.load_state_dict(mine.state_dict())
    theirs.self_attn.in_proj_weight.copy_(layer.queries_keys_values.weight)
    theirs.self_attn.in_proj_bias.copy_(layer.queries_keys_values.bias)
    inside = torch.arange(12) < torch.tensor([[12], [5], [1]])
    states = torch.randn(3, 12, 8)
    found, expected = layer(states, inside[:, None, None]), theirs(states, src_key_padding_mask=~inside)
    torch.testing.assert_close(found[inside], expected[inside], rtol=1e-4, atol=1e-5)


@torch.inference_mode()
def test_the_order_of_tokens_counts():
    ours, tokens = network("transformer", SPECS["text"]), stored(SPECS["text"], 1)
    assert (ours(tokens) - ours(tokens.flip(1))).abs().max() > 1e-3


def test_sizes_that_no_heads_can_share_are_refused():
    with pytest.raises(ValueError, match=r"hidden_size \(=10\) must be a multiple of twice num_heads \(=4\)"):
        building.build({"name": "transformer", "hidden_size": 10}, SPECS["text"], "m")
