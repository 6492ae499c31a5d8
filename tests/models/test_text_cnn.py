import torch
from specimens import SPECS, network, stored


@torch.inference_mode()
def test_it_equals_a_plain_loop_over_filters_and_positions():
    ours = network("text_cnn", SPECS["text"], embedding_size=6, num_filters=3, widths=(2, 4))
    for length in (1, 3, 12):
        tokens = stored(SPECS["text"], 1)[:, :length]
        embedded = ours.embedding(tokens)[0]  # (L, 6)
        answers = []
        for convolution in ours.convolutions:
            width = convolution.kernel_size[0]
            before = torch.cat([torch.zeros(width - 1, 6), embedded])
            for weight, bias in zip(convolution.weight, convolution.bias, strict=True):  # (6, width), ()
                windows = [before[start : start + width].T for start in range(length)]
                answers.append(max(((window * weight).sum() + bias).clamp(min=0) for window in windows))
        torch.testing.assert_close(ours(tokens), ours.fc(torch.stack(answers))[None])
