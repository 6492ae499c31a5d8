import pytest
import torch
from specimens import SPECS, network, stored
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

LENGTHS = torch.tensor([12, 3, 1, 7])


@pytest.mark.parametrize("num_layers", [1, 2])
@torch.inference_mode()
def test_it_equals_the_packed_bidirectional_lstm_of_torch(num_layers):
    ours = network("text_lstm", SPECS["text"], hidden_size=8, embedding_size=6, num_layers=num_layers)
    theirs = nn.LSTM(6, 8, num_layers, batch_first=True, bidirectional=True)
    for number, layer in enumerate(ours.layers):
        for direction, suffix in ((layer.forwards, ""), (layer.backwards, "_reverse")):
            for name, weight in direction.named_parameters():
                getattr(theirs, name.replace("l0", f"l{number}{suffix}")).copy_(weight)
    tokens = stored(SPECS["text"], 4).where(torch.arange(12) < LENGTHS[:, None], 0)
    packed = pack_padded_sequence(ours.embedding(tokens), LENGTHS, batch_first=True, enforce_sorted=False)
    states, lengths = pad_packed_sequence(theirs(packed)[0], batch_first=True, padding_value=-torch.inf)
    assert torch.equal(lengths, LENGTHS)
    torch.testing.assert_close(ours(tokens), ours.fc(states.amax(1)))


@torch.inference_mode()
def test_the_last_state_is_that_of_the_last_token_and_backwards_of_the_first():
    ours = network("text_lstm", SPECS["text"], hidden_size=8, pooling="last")
    tokens = stored(SPECS["text"], 1)
    embedded = ours.embedding(tokens)
    forwards = ours.layers[0].forwards(embedded)[0][:, -1]
    backwards = ours.layers[0].backwards(embedded.flip(1))[0][:, -1]
    torch.testing.assert_close(ours(tokens), ours.fc(torch.cat([forwards, backwards], 1)))
