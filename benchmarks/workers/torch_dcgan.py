"""A worker: keras_gen's DCGAN, 64x64x3, and its losses in PyTorch. Arguments: setting name, batch size.

The step is as good as we can write it: the generator runs once, the discriminator's weight gradients are not computed
in the generator's turn, Adam is the fused one. Needs nothing of keras_gen.
"""

import json
import math
import sys
import time

import torch
from torch import nn
from torch.nn.functional import softplus

SIZE, WIDTH = 100, 64
DEVICE = "cuda" if torch.cuda.is_available() else "cpu"
SETTINGS = {
    "float32": {},
    "float32, channels_last": {"channels_last": True},
    "float32, channels_last, 1 thread": {"channels_last": True, "threads": 1},
    "float32, channels_last, torch.compile": {"channels_last": True, "compile": True},
    "float32, channels_last, simultaneous": {"channels_last": True, "simultaneous": True},
    "bfloat16 autocast, channels_last": {"channels_last": True, "autocast": True},
    "bfloat16 autocast, channels_last, torch.compile": {"channels_last": True, "autocast": True, "compile": True},
    "bfloat16 autocast, channels_last, simultaneous": {"channels_last": True, "autocast": True, "simultaneous": True},
}


def _normalized(layer, channels: int, activation):
    return layer, nn.BatchNorm2d(channels, eps=1e-5, momentum=0.1), activation


class Generator(nn.Module):
    """Noise [batch, 100] -> images [batch, 3, 64, 64] in [0, 1]."""

    def __init__(self):
        super().__init__()
        self.dense = nn.Linear(SIZE, 8 * WIDTH * 4 * 4, bias=False)
        self.first = nn.Sequential(nn.BatchNorm2d(8 * WIDTH, eps=1e-5, momentum=0.1), nn.ReLU())
        up = [
            each
            for a, b in ((8, 4), (4, 2), (2, 1))
            for each in _normalized(nn.ConvTranspose2d(a * WIDTH, b * WIDTH, 4, 2, 1, bias=False), b * WIDTH, nn.ReLU())
        ]
        self.up = nn.Sequential(*up, nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        # channels last: the rows of the dense layer are [4, 4, channels], as in keras_gen, and need no copy
        x = self.dense(z).view(-1, 4, 4, 8 * WIDTH).permute(0, 3, 1, 2)
        return 0.5 * self.up(self.first(x)) + 0.5


class Discriminator(nn.Module):
    """Images [batch, 3, 64, 64] in [0, 1] -> logits [batch]."""

    def __init__(self):
        super().__init__()
        down = [
            each
            for a, b in ((1, 2), (2, 4), (4, 8))
            for each in _normalized(nn.Conv2d(a * WIDTH, b * WIDTH, 4, 2, 1, bias=False), b * WIDTH, nn.LeakyReLU(0.2))
        ]
        self.down = nn.Sequential(nn.Conv2d(3, WIDTH, 4, 2, 1), nn.LeakyReLU(0.2), *down, nn.Flatten())
        self.last = nn.Linear(8 * WIDTH * 4 * 4, 1)

    def forward(self, image):
        return self.last(self.down(2 * image - 1))[:, 0]


def multiply_adds(network: nn.Module, example: torch.Tensor) -> int:
    """Returns multiply-adds of convolutions and dense layers for one example; borders count like the interior."""
    counts, hooks = [], []
    for layer in network.modules():
        if isinstance(layer, nn.ConvTranspose2d):
            count = lambda layer, inputs, output: math.prod(layer.weight.shape) * math.prod(inputs[0].shape[2:])  # noqa: E731
        elif isinstance(layer, nn.Conv2d):
            count = lambda layer, inputs, output: math.prod(layer.weight.shape) * math.prod(output.shape[2:])  # noqa: E731
        elif isinstance(layer, nn.Linear):
            count = lambda layer, inputs, output: math.prod(layer.weight.shape)  # noqa: E731
        else:
            continue
        hooks.append(layer.register_forward_hook(lambda *call, count=count: counts.append(count(*call))))
    with torch.no_grad():
        network.eval()(example)
    network.train()
    for hook in hooks:
        hook.remove()
    return sum(counts)


class Step:
    """One training step: the discriminator, then the generator on the same images; or both at once."""

    def __init__(self, images: torch.Tensor, *, channels_last=False, autocast=False, compile=False, simultaneous=False):
        self.images, self.simultaneous = images, simultaneous
        self.generator, self.discriminator = Generator().to(DEVICE), Discriminator().to(DEVICE)
        if channels_last:
            self.images = images.contiguous(memory_format=torch.channels_last)
            for network in (self.generator, self.discriminator):
                network.to(memory_format=torch.channels_last)
        self.weights = [list(network.parameters()) for network in (self.generator, self.discriminator)]
        self.optimizers = [torch.optim.Adam(w, lr=2e-4, betas=(0.5, 0.999), fused=True) for w in self.weights]
        self.autocast = torch.autocast(DEVICE, torch.bfloat16, enabled=autocast)
        self.generate, self.discriminate = self.generator, self.discriminator
        if compile:
            self.generate, self.discriminate = torch.compile(self.generator), torch.compile(self.discriminator)

    def __call__(self) -> None:
        with self.autocast:
            generated = self.generate(torch.randn(len(self.images), SIZE, device=DEVICE)).float()
        losses = self._both(generated) if self.simultaneous else self._in_turns(generated)
        for loss in losses:
            loss.item()

    def _in_turns(self, generated):
        with self.autocast:
            real, fake = self.discriminate(self.images), self.discriminate(generated.detach())
        discriminator_loss = (softplus(-real.float()) + softplus(fake.float())).mean()
        self.optimizers[1].zero_grad()
        discriminator_loss.backward()
        self.optimizers[1].step()
        self.discriminator.requires_grad_(False)
        with self.autocast:
            fake = self.discriminate(generated)
        generator_loss = softplus(-fake.float()).mean()
        self.optimizers[0].zero_grad()
        generator_loss.backward()
        self.optimizers[0].step()
        self.discriminator.requires_grad_(True)
        return discriminator_loss, generator_loss

    def _both(self, generated):
        with self.autocast:
            real, fake = self.discriminate(self.images), self.discriminate(generated)
        losses = softplus(-fake.float()).mean(), (softplus(-real.float()) + softplus(fake.float())).mean()
        for weights, loss in zip(self.weights, losses, strict=True):
            gradients = torch.autograd.grad(loss, weights, retain_graph=True)
            for weight, gradient in zip(weights, gradients, strict=True):
                weight.grad = gradient
        for optimizer in self.optimizers:
            optimizer.step()
        return losses[1], losses[0]


def main(setting: str, batch_size: int) -> None:
    options = dict(SETTINGS[setting])
    torch.set_num_threads(options.pop("threads", torch.get_num_threads()))
    torch.manual_seed(1)
    step = Step(torch.rand(batch_size, 3, 64, 64, device=DEVICE), **options)
    examples = {
        "generator": torch.zeros(1, SIZE, device=DEVICE),
        "discriminator": torch.zeros(1, 3, 64, 64, device=DEVICE),
    }
    about = {
        "parameters": {name: sum(p.numel() for p in getattr(step, name).parameters()) for name in examples},
        "multiply_adds": {name: multiply_adds(getattr(step, name), inputs) for name, inputs in examples.items()},
        "torch": torch.__version__,
        "threads": torch.get_num_threads(),
    }
    print(json.dumps(about), flush=True)
    for line in sys.stdin:
        start = time.perf_counter()
        for _ in range(int(line.split()[1])):
            step()
        print(json.dumps({"seconds": time.perf_counter() - start}), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
