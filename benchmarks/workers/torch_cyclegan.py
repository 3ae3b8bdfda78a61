"""A worker: keras_gen's CycleGAN, 64x64x3, six blocks, and its losses in PyTorch. Arguments: setting name, batch size.

The step is as good as we can write it: translations, ways back and identities run in three passes of the generators
(every image is normalized alone, so passes can be joined), the discriminators' weight gradients are not computed in
the generators' turn, Adam is the fused one. Needs nothing of keras_gen.
"""

import json
import sys
import time

import torch
from torch import nn
from torch_dcgan import multiply_adds

WIDTH, BLOCKS, POOL = 64, 6, 50
LAST = {"channels_last": True}
SETTINGS = {
    "float32": {},
    "float32, channels_last": LAST,
    "float32, channels_last, one pass each": {**LAST, "joined": False},
    "float32, channels_last, torch.compile": {**LAST, "compile": True},
    "bfloat16 autocast, channels_last": {**LAST, "autocast": True},
    "bfloat16 autocast, channels_last, torch.compile": {**LAST, "autocast": True, "compile": True},
}


def normalized(layer, channels: int, *after):
    """A layer, instance normalization with a scale for each channel, and what comes after."""
    return nn.Sequential(layer, nn.InstanceNorm2d(channels, eps=1e-5, affine=True), *after)


class Block(nn.Module):
    """A residual block of two 3x3 convolutions."""

    def __init__(self, channels: int):
        super().__init__()

        def conv():
            return nn.Conv2d(channels, channels, 3, padding=1, padding_mode="reflect", bias=False)

        self.inner = nn.Sequential(normalized(conv(), channels, nn.ReLU()), normalized(conv(), channels))

    def forward(self, x):
        return x + self.inner(x)


class Generator(nn.Module):
    """Images [batch, 3, 64, 64] in [0, 1] -> images in [0, 1]."""

    def __init__(self):
        super().__init__()
        w = WIDTH
        first = nn.Conv2d(3, w, 7, padding=3, padding_mode="reflect", bias=False)
        self.layers = nn.Sequential(
            normalized(first, w, nn.ReLU()),
            *(normalized(nn.Conv2d(c, 2 * c, 3, 2, 1, bias=False), 2 * c, nn.ReLU()) for c in (w, 2 * w)),
            *(Block(4 * w) for _ in range(BLOCKS)),
            *(normalized(nn.ConvTranspose2d(2 * c, c, 4, 2, 1, bias=False), c, nn.ReLU()) for c in (2 * w, w)),
            nn.Conv2d(w, 3, 7, padding=3, padding_mode="reflect"),
            nn.Tanh(),
        )

    def forward(self, image):
        return 0.5 * self.layers(2 * image - 1) + 0.5


class Discriminator(nn.Module):
    """Images [batch, 3, 64, 64] in [0, 1] -> logits of patches [batch, 1, 32, 32]."""

    def __init__(self):
        super().__init__()
        second = nn.Conv2d(WIDTH, 2 * WIDTH, 4, padding="same", bias=False)
        self.layers = nn.Sequential(
            nn.Conv2d(3, WIDTH, 4, 2, 1),
            nn.LeakyReLU(0.2),
            normalized(second, 2 * WIDTH, nn.LeakyReLU(0.2)),
            nn.Conv2d(2 * WIDTH, 1, 4, padding="same"),
        )

    def forward(self, image):
        return self.layers(2 * image - 1)


class Pool:
    """Past translations: filled first, then exchanged by the throw of a coin."""

    def __init__(self):
        self.images = []

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        out = []
        for image in images.detach():
            if len(self.images) < POOL:
                self.images.append(image.clone())
            elif torch.rand(()) < 0.5:
                index = int(torch.randint(POOL, ()))
                image, self.images[index] = self.images[index], image.clone()
            out.append(image)
        return torch.stack(out)


class Step:
    """One training step: both generators by one loss, then each discriminator."""

    def __init__(self, a: torch.Tensor, b: torch.Tensor, *, channels_last=False, autocast=False, compile=False,
                 joined=True):  # fmt: skip
        self.joined, self.last = joined, channels_last
        self.images = [self._laid_out(each) for each in (a, b)]
        self.generators, self.discriminators = (
            [kind().to(memory_format=torch.channels_last) if channels_last else kind() for _ in "ab"]
            for kind in (Generator, Discriminator)
        )
        self.pools = [Pool(), Pool()]
        self.optimizers = [
            torch.optim.Adam(weights, lr=2e-4, betas=(0.5, 0.999), fused=True)
            for weights in (
                [p for each in self.generators for p in each.parameters()],
                *(list(each.parameters()) for each in self.discriminators),
            )
        ]
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=autocast)
        wrap = torch.compile if compile else (lambda network: network)
        self.to_b, self.to_a = (wrap(each) for each in self.generators)
        self.compiled_discriminators = [wrap(each) for each in self.discriminators]

    def __call__(self) -> None:
        with self.autocast:
            a, b = self.images
            fake_b, same_b, fake_a, same_a, back_a, back_b = self._passes(a, b)
        for each in self.discriminators:
            each.requires_grad_(False)
        loss = sum(
            self._adversarial_loss(discriminator, fake)
            for discriminator, fake in zip(self.compiled_discriminators, (fake_a, fake_b), strict=True)
        )
        for weight, first, second in ((10.0, back_a, back_b), (5.0, same_a, same_b)):
            loss = loss + weight * ((first.float() - a).abs().mean() + (second.float() - b).abs().mean())
        losses = [loss]
        self._move(0, loss)
        for index, (real, fake) in enumerate(((a, fake_a), (b, fake_b))):
            self.discriminators[index].requires_grad_(True)
            with self.autocast:
                both = self._laid_out(torch.cat([real, self.pools[index](fake.float())]))
                real_logits, fake_logits = self.compiled_discriminators[index](both).float().chunk(2)
            loss = ((real_logits - 1) ** 2 + fake_logits**2).mean() / 2
            losses.append(loss)
            self._move(index + 1, loss)
        for loss in losses:
            loss.item()

    def _passes(self, a, b):
        if not self.joined:
            fake_b, fake_a = self.to_b(a), self.to_a(b)
            return fake_b, self.to_b(b), fake_a, self.to_a(a), self.to_a(fake_b), self.to_b(fake_a)
        fake_b, same_b = self.to_b(self._laid_out(torch.cat([a, b]))).chunk(2)
        fake_a, same_a, back_a = self.to_a(self._laid_out(torch.cat([b, a, fake_b]))).chunk(3)
        return fake_b, same_b, fake_a, same_a, back_a, self.to_b(self._laid_out(fake_a))

    def _adversarial_loss(self, discriminator, fake):
        with self.autocast:
            logits = discriminator(fake)
        return ((logits.float() - 1) ** 2).mean() / 2

    def _move(self, index: int, loss) -> None:
        self.optimizers[index].zero_grad()
        loss.backward()
        self.optimizers[index].step()

    def _laid_out(self, images):
        return images.contiguous(memory_format=torch.channels_last) if self.last else images


def main(setting: str, batch_size: int) -> None:
    torch.manual_seed(1)
    step = Step(*(torch.rand(batch_size, 3, 64, 64) for _ in "ab"), **SETTINGS[setting])
    networks = {"generator": step.generators[0], "discriminator": step.discriminators[0]}
    about = {
        "parameters": {name: sum(p.numel() for p in network.parameters()) for name, network in networks.items()},
        "multiply_adds": {name: multiply_adds(each, torch.zeros(1, 3, 64, 64)) for name, each in networks.items()},
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
