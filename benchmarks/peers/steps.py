#!/usr/bin/env python3
"""Times of training and sampling steps in PyTorch, one JSON line: the peer of `ascore-bench step`, same networks, same
work, same keys.

    steps.py ncsnv2/train [--variant eager|compile] [--device cpu|cuda] [--precision f32|bf16] [--batch N] [--width N]
             [--threads N] [--warm-up 3] [--rounds 10] [--steps 1]

A case is a network (ncsnv2, unet, mlp) and a work: train (denoising score matching: noise, forward, loss, backward, Adam
and average), adversarial (that, with the critic's updates and its verdict in the loss), critic (its update alone), sample
(a step of consistent annealed sampling). Images are channels_last. `compile`: torch.compile(mode="max-autotune"), on
cuda with CUDA graphs.
"""
import argparse
import copy
import json
import statistics
import time

import torch

from networks import SETTINGS


class Learner:
    """A network, Adam (fused on cuda), and the average of the parameters if there is a decay."""

    def __init__(self, network, rate, betas, decay, cuda):
        self.parameters = [p for p in network.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(self.parameters, lr=rate, betas=betas, **({"fused": True} if cuda else {}))
        self.average = [p.detach().clone() for p in self.parameters] if decay else None
        self.decay = decay

    def minimise(self, loss):
        self.optimizer.zero_grad()
        loss.backward(inputs=self.parameters)
        self.optimizer.step()
        if self.average:
            with torch.no_grad():
                torch._foreach_lerp_(self.average, self.parameters, 1 - self.decay)


class Work:
    """One case, made ready; `step()` does it once."""

    def __init__(self, options):
        network, self.kind = options.case.split("/")
        s = self.setting = SETTINGS[network]
        self.device, self.options = torch.device(options.device), options
        self.batch, self.width = options.batch or s.batch, options.width or s.width
        cuda = self.device.type == "cuda"
        self.network = self.placed(s.network(self.width))
        self.score_count = sum(p.numel() for p in self.network.parameters())
        self.learner = Learner(self.network, s.rate, s.betas, s.decay, cuda)
        self.sigmas = s.sigmas().to(self.device)
        self.pool = torch.rand(2 * self.batch, *s.sample)
        self.pool = self.pool.pin_memory() if cuda else self.pool
        if self.kind in ("adversarial", "critic"):
            self.critic = self.placed(s.critic(s.critic_width))
            self.critic_learner = Learner(self.critic, s.rate, s.critic_betas, None, cuda)
        elif self.kind == "sample":
            self.x, self.level = self.clean(), 0
        self.fast_score_loss, self.fast_critic_loss, self.fast_score = map(
            self.compiled, (self.score_loss, self.critic_loss, self.score))
        self.step = getattr(self, f"{self.kind}_step")
        self.loss = None

    def placed(self, module):
        module = module.to(self.device)
        return module.to(memory_format=torch.channels_last) if len(self.setting.sample) == 3 else module

    def compiled(self, function):
        if self.options.variant == "eager":
            return function
        replayed = torch.compile(function, mode="max-autotune")

        def marked(*arguments):
            torch.compiler.cudagraph_mark_step_begin()  # what earlier calls gave may be overwritten
            return replayed(*arguments)

        return marked

    def autocast(self):
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.options.precision == "bf16")

    def clean(self):
        """The next batch, from host memory as a loader gives it."""
        rows = torch.randint(len(self.pool), (self.batch,))
        x = self.pool[rows].to(self.device, non_blocking=True)
        return x.contiguous(memory_format=torch.channels_last) if x.dim() == 4 else x

    def noise(self, x):
        sigma = self.sigmas[torch.randint(len(self.sigmas), (self.batch,), device=self.device)]
        return sigma, torch.randn_like(x)

    # The parts that torch.compile sees.

    def score(self, x, sigma):
        with self.autocast():
            return self.network(x, sigma).float()

    def noisy_score(self, x, sigma, z):
        spread = sigma.view(-1, *[1] * (x.dim() - 1))
        noisy = x + spread * z
        s = self.score(noisy, sigma)
        return s, noisy + spread * spread * s / spread

    def seen(self, x):
        return x.clamp(0, 1) if self.setting.clamp else x

    def verdict(self, x):
        with self.autocast():
            return self.critic(x).float()

    def score_loss(self, x, sigma, z):
        s, denoised = self.noisy_score(x, sigma, z)
        loss = (0.5 * (s + z) ** 2).flatten(1).sum(dim=1).mean()
        if self.kind != "adversarial":
            return loss
        with torch.no_grad():
            self.verdict(x)  # as the recipes' losses may ask for it
        generator = ((1 - self.verdict(self.seen(denoised))) ** 2).mean()
        return loss + self.setting.generator_weight * generator

    def critic_loss(self, x, sigma, z):
        with torch.no_grad():
            fake = self.seen(self.noisy_score(x, sigma, z)[1])
        return ((1 - self.verdict(x)) ** 2).mean() + ((1 + self.verdict(fake)) ** 2).mean()

    # The steps.

    def train_step(self):
        x = self.clean()
        self.loss = self.fast_score_loss(x, *self.noise(x))
        self.learner.minimise(self.loss)

    def critic_step(self):
        x = self.clean()
        self.critic_learner.minimise(self.fast_critic_loss(x, *self.noise(x)))
        return x

    def adversarial_step(self):
        for _ in range(self.setting.critic_steps):
            x = self.critic_step()
        self.loss = self.fast_score_loss(x, *self.noise(x))
        self.learner.minimise(self.loss)

    @torch.no_grad()
    def sample_step(self):
        """x += eta sigma^2 score + beta sigma' z, down the levels."""
        sigma, self.level = self.sigmas[self.level % len(self.sigmas)], self.level + 1
        s = self.fast_score(self.x, sigma.expand(self.batch))
        self.x = self.x + 0.04 * sigma * s + 0.3 * sigma * torch.randn_like(self.x)


def kernels_per_step(work):
    """Kernels that the GPU runs in a step, as the profiler sees them."""
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        work.step()
        torch.cuda.synchronize()
    on_gpu = [e for e in profile.events() if e.device_type == torch.autograd.DeviceType.CUDA]
    return sum(not e.name.startswith("Mem") for e in on_gpu)


def measure(work, options):
    synchronize = torch.cuda.synchronize if options.device == "cuda" else lambda: None
    for _ in range(options.warm_up):
        work.step()
    synchronize()
    times = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        for _ in range(options.steps):
            work.step()
        synchronize()
        times.append(1e3 * (time.perf_counter() - start) / options.steps)
    return sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    kinds = ("train", "adversarial", "critic", "sample")
    parser.add_argument("case", choices=[f"{network}/{kind}" for network in SETTINGS for kind in kinds], metavar="CASE")
    parser.add_argument("--variant", choices=("eager", "compile"), default="eager")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--precision", choices=("f32", "bf16"), default="f32")
    for name, default in (("batch", 0), ("width", 0), ("threads", 0), ("warm-up", 3), ("rounds", 10), ("steps", 1)):
        parser.add_argument(f"--{name}", type=int, default=default)
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    torch.backends.cudnn.benchmark = True
    work = Work(options)
    times = measure(work, options)
    quartile = lambda k: times[(len(times) - 1) * k // 4]
    ms = statistics.median(times)
    line = {
        "program": "pytorch", "variant": options.variant, "version": torch.__version__, "case": options.case,
        "device": options.device, "precision": options.precision, "batch": work.batch, "width": work.width,
        "threads": torch.get_num_threads(), "parameters": work.score_count, "ms": ms,
        "ms_quartiles": [quartile(1), quartile(3)], "images_per_s": 1e3 * work.batch / ms,
        "launches": kernels_per_step(work) if options.device == "cuda" else None,
        "peak_bytes": torch.cuda.max_memory_allocated() if options.device == "cuda" else None}
    if work.loss is not None:
        line["loss"] = work.loss.item()
    print(json.dumps(line))


if __name__ == "__main__":
    main()
