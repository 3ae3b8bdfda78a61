"""A worker: pythae's VAE with the networks of keras_gen's conv VAE. Arguments: setting name, batch size.

It runs what pythae's trainer runs for a step (forward, zero_grad, backward, step, loss.item()) without its data
loader, which would only slow it down. Needs nothing of keras_gen.
"""

import json
import sys
import time

import torch
from pythae.data.datasets import DatasetOutput
from pythae.models import VAE, VAEConfig
from pythae.models.base.base_utils import ModelOutput
from pythae.models.nn import BaseDecoder, BaseEncoder
from torch import nn

LATENT = 32
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SETTINGS = {
    "float32": {},
    "float32, channels_last": {"channels_last": True},
    "float32, channels_last, 1 thread": {"channels_last": True, "threads": 1},
    "float32, channels_last, torch.compile": {"channels_last": True, "compile": True},
    "bfloat16 autocast, channels_last": {"channels_last": True, "autocast": True},
}


class Encoder(BaseEncoder):
    def __init__(self):
        super().__init__()
        self.conv = nn.Sequential(
            nn.Conv2d(1, 32, 4, 2, 1), nn.SiLU(), nn.Conv2d(32, 64, 4, 2, 1), nn.SiLU(),
            nn.Flatten(), nn.Linear(7 * 7 * 64, 256), nn.SiLU(),
        )  # fmt: skip
        self.mean, self.log_variance = nn.Linear(256, LATENT), nn.Linear(256, LATENT)

    def forward(self, x):
        hidden = self.conv(x)
        return ModelOutput(embedding=self.mean(hidden), log_covariance=self.log_variance(hidden))


class Decoder(BaseDecoder):
    def __init__(self):
        super().__init__()
        self.dense = nn.Sequential(nn.Linear(LATENT, 256), nn.SiLU(), nn.Linear(256, 7 * 7 * 64), nn.SiLU())
        self.conv = nn.Sequential(
            nn.ConvTranspose2d(64, 32, 4, 2, 1), nn.SiLU(), nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Sigmoid()
        )

    def forward(self, z):
        return ModelOutput(reconstruction=self.conv(self.dense(z).reshape(-1, 64, 7, 7)))


def main(setting: str, batch_size: int) -> None:
    options = SETTINGS[setting]
    torch.set_num_threads(options.get("threads", torch.get_num_threads()))
    torch.manual_seed(1)
    config = VAEConfig(input_dim=(1, 28, 28), latent_dim=LATENT, reconstruction_loss="bce")
    model = VAE(config, encoder=Encoder(), decoder=Decoder()).to(DEVICE)
    images = (torch.rand(batch_size, 1, 28, 28, device=DEVICE) < 0.13).float()
    if options.get("channels_last"):
        model = model.to(memory_format=torch.channels_last)
        images = images.contiguous(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
    parameters = sum(p.numel() for p in model.parameters())
    # autocast refuses the binary cross-entropy of probabilities that pythae uses, so only the networks run under it
    autocast = torch.autocast(DEVICE, torch.bfloat16, enabled=bool(options.get("autocast")))
    for network in (model.encoder, model.decoder):
        network.forward = _in_float32(autocast, network.forward)
    if options.get("compile"):  # the networks alone: pythae's output classes stop the compiler
        for network in (model.encoder.conv, model.decoder.dense, model.decoder.conv):
            network.compile()

    def run(steps: int) -> None:
        for _ in range(steps):
            loss = model(DatasetOutput(data=images)).loss
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            loss.item()

    print(json.dumps({"parameters": parameters, "torch": torch.__version__, "threads": torch.get_num_threads()}))
    sys.stdout.flush()
    for line in sys.stdin:
        start = time.perf_counter()
        run(int(line.split()[1]))
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


def _in_float32(autocast, forward):
    """The network under autocast, its outputs back in float32."""

    def run(x):
        with autocast:
            output = forward(x)
        return ModelOutput(**{name: value.float() for name, value in output.items()})

    return run


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
