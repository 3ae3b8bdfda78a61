"""A worker: keras_gen's StarGAN, 64x64x3, and its losses in PyTorch. Arguments: setting name, batch size.

The step is optimized as far as possible: critic updates generate their images without a graph, the last critic update's
images are the generator's own, the discriminator's weight gradients are not computed in the generator's turn, Adam is
the fused one. Needs nothing of keras_gen.
"""

import json
import sys
import time

import torch
from torch import nn
from torch.nn.functional import cross_entropy

DOMAINS, WIDTH, BLOCKS, CRITIC = 5, 32, 6, 5
SETTINGS = {
    "float32": {},
    "float32, channels_last": {"channels_last": True},
    "float32, channels_last, 1 thread": {"channels_last": True, "threads": 1},
    "bfloat16 autocast, channels_last": {"channels_last": True, "autocast": True},
}


def _after(layer, channels: int):
    return layer, nn.InstanceNorm2d(channels, eps=1e-5, affine=True), nn.ReLU()


class Block(nn.Module):
    """Two 3x3 convolutions with a skip connection."""

    def __init__(self, channels: int):
        super().__init__()
        self.inner = nn.Sequential(
            *_after(nn.Conv2d(channels, channels, 3, 1, 1, bias=False), channels),
            nn.Conv2d(channels, channels, 3, 1, 1, bias=False),
            nn.InstanceNorm2d(channels, eps=1e-5, affine=True),
        )

    def forward(self, x):
        return x + self.inner(x)


class Generator(nn.Module):
    """Images [batch, 3, 64, 64] in [0, 1] and targets [batch, 5] -> images in [0, 1]."""

    def __init__(self):
        super().__init__()
        w = WIDTH
        self.layers = nn.Sequential(
            *(nn.Conv2d(3 + DOMAINS, w, 7, 1, 3), nn.ReLU()),  # not normalized: see `residual_translator`
            # "same" of stride 2 and kernel 3: one row of zeros, below and to the right
            *(nn.ZeroPad2d((0, 1, 0, 1)), *_after(nn.Conv2d(w, 2 * w, 3, 2, bias=False), 2 * w)),
            *(nn.ZeroPad2d((0, 1, 0, 1)), *_after(nn.Conv2d(2 * w, 4 * w, 3, 2, bias=False), 4 * w)),
            *(Block(4 * w) for _ in range(BLOCKS)),
            *_after(nn.ConvTranspose2d(4 * w, 2 * w, 4, 2, 1, bias=False), 2 * w),
            *_after(nn.ConvTranspose2d(2 * w, w, 4, 2, 1, bias=False), w),
            *(nn.Conv2d(w, 3, 7, 1, 3), nn.Tanh()),
        )

    def forward(self, image, target):
        planes = target[:, :, None, None].expand(-1, -1, *image.shape[2:])
        return 0.5 * self.layers(torch.cat([2 * image - 1, planes], 1)) + 0.5


class Discriminator(nn.Module):
    """Images [batch, 3, 64, 64] in [0, 1] -> the critic's mean [batch] and logits [batch, 5]."""

    def __init__(self):
        super().__init__()
        channels = [3, *(WIDTH * 2**step for step in range(5))]
        pairs = zip(channels, channels[1:], strict=False)
        self.layers = nn.Sequential(
            *(each for a, b in pairs for each in (nn.Conv2d(a, b, 4, 2, 1), nn.LeakyReLU(0.01)))
        )
        self.critic = nn.Conv2d(channels[-1], 1, 3, 1, 1, bias=False)
        self.attributes = nn.Conv2d(channels[-1], DOMAINS, 2)

    def forward(self, image):
        x = self.layers(2 * image - 1)
        return self.critic(x).mean((1, 2, 3)), self.attributes(x).flatten(1)


def multiply_adds(network: nn.Module, *example: torch.Tensor) -> int:
    """Returns multiply-adds of the convolutions for one example; borders count like the interior."""
    counts, hooks = [], []

    def count(layer, inputs, output):
        feature_map = inputs[0] if isinstance(layer, nn.ConvTranspose2d) else output
        counts.append(layer.weight.numel() * feature_map.shape[2] * feature_map.shape[3])

    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            hooks.append(layer.register_forward_hook(count))
    with torch.no_grad():
        network(*example)
    for hook in hooks:
        hook.remove()
    return sum(counts)


class Step:
    """Five critic updates on a fifth of the batch each, then the generator on the last fifth."""

    def __init__(self, images: torch.Tensor, *, channels_last=False, autocast=False):
        self.images = images
        self.labels = torch.arange(len(images)) % DOMAINS
        self.generator, self.discriminator = Generator(), Discriminator()
        if channels_last:
            self.images = images.contiguous(memory_format=torch.channels_last)
            for network in (self.generator, self.discriminator):
                network.to(memory_format=torch.channels_last)
        networks = (self.generator, self.discriminator)
        self.optimizers = [torch.optim.Adam(n.parameters(), lr=1e-4, betas=(0.5, 0.999), fused=True) for n in networks]
        self.autocast = torch.autocast("cpu", torch.bfloat16, enabled=autocast)

    def __call__(self) -> None:
        losses = []
        for index in range(CRITIC):
            image, label = self.images[index::CRITIC], self.labels[index::CRITIC]
            target = label[torch.randperm(len(label))]
            wanted = torch.eye(DOMAINS)[target]
            last = index == CRITIC - 1
            with torch.set_grad_enabled(last), self.autocast:
                translated = self.generator(image, wanted).float()
            losses.append(self._critic(image, label, translated.detach()))
        losses.append(self._generator(image, label, target, translated))
        for loss in losses:
            loss.item()

    def _critic(self, image, label, translated):
        self.discriminator.requires_grad_(True)
        with self.autocast:
            real, logits = self.discriminator(image)
            fake, _ = self.discriminator(translated)
        between = torch.rand(len(image), 1, 1, 1)
        point = ((between * image + (1 - between) * translated) * 2 - 1).requires_grad_(True)
        with self.autocast:
            critic_values, _ = self.discriminator(0.5 * point + 0.5)
        (slope,) = torch.autograd.grad(critic_values.float().sum(), point, create_graph=True)
        penalty = (slope.flatten(1).norm(dim=1) - 1).square().mean()
        loss = fake.float().mean() - real.float().mean() + 10 * penalty + cross_entropy(logits.float(), label)
        self.optimizers[1].zero_grad()
        loss.backward()
        self.optimizers[1].step()
        return loss.detach()

    def _generator(self, image, label, target, translated):
        self.discriminator.requires_grad_(False)
        with self.autocast:
            fake, logits = self.discriminator(translated)
            back = self.generator(translated, torch.eye(DOMAINS)[label]).float()
        loss = -fake.float().mean() + cross_entropy(logits.float(), target) + 20 * (image - back).abs().mean()
        self.optimizers[0].zero_grad()
        loss.backward()
        self.optimizers[0].step()
        return loss.detach()


def main(setting: str, batch_size: int) -> None:
    options = dict(SETTINGS[setting])
    torch.set_num_threads(options.pop("threads", torch.get_num_threads()))
    torch.manual_seed(1)
    step = Step(torch.rand(batch_size, 3, 64, 64), **options)
    image, target = torch.zeros(1, 3, 64, 64), torch.zeros(1, DOMAINS)
    examples = {"generator": (image, target), "discriminator": (image,)}
    about = {
        "parameters": {name: sum(p.numel() for p in getattr(step, name).parameters()) for name in examples},
        "multiply_adds": {name: multiply_adds(getattr(step, name), *inputs) for name, inputs in examples.items()},
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
