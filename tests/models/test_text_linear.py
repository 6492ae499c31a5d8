import torch
from specimens import SPECS, network, stored


@torch.inference_mode()
def test_neither_the_order_nor_the_number_of_equal_words_counts():
    ours, tokens = network("text_linear", SPECS["text"]), stored(SPECS["text"], 3)[:, :6]
    torch.testing.assert_close(ours(tokens.flip(1)), ours(tokens))
    torch.testing.assert_close(ours(torch.cat([tokens, tokens], 1)), ours(tokens))
    torch.testing.assert_close(ours(tokens), ours.weight.weight[tokens].mean(1) + ours.bias)
