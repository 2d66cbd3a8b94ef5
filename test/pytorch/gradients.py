"""Values and gradients by PyTorch's autograd, float64, for small inputs that are made here and in gradients.test.ts alike.

    python3 test/pytorch/gradients.py > test/pytorch/gradients.json

The losses are written as their papers and trainers write them, with `.detach()` where a gradient stops: nothing is taken
from CrossThink but the names of its options. Inputs: u = x / 2^32 of the generator x <- 1664525 x + 1013904223 mod 2^32,
rounded to float32 where CrossThink takes float32.
"""

import json
import math
import struct
import sys

import torch

torch.set_default_dtype(torch.float64)


class Generator:
    def __init__(self, seed):
        self.state = seed

    def uniform(self):
        self.state = (self.state * 1664525 + 1013904223) % 2**32
        return self.state / 2**32

    def floats(self, count, low, high):
        """`count` float32 values in [low, high)."""
        values = [low + (high - low) * self.uniform() for _ in range(count)]
        return torch.tensor(struct.unpack(f"{count}f", struct.pack(f"{count}f", *values)))

    def integers(self, count, below):
        return torch.tensor([int(self.uniform() * below) for _ in range(count)])


def logprob_case(seed, rows, vocab):
    g = Generator(seed)
    logits = g.floats(rows * vocab, -8, 8).view(rows, vocab).requires_grad_()
    tokens = g.integers(rows, vocab)
    temperature = g.floats(rows, 0.5, 2)
    d_logprob, d_entropy = g.floats(rows, -1, 1), g.floats(rows, -1, 1)
    logprobs = torch.log_softmax(logits / temperature[:, None], -1)
    logprob = logprobs.gather(-1, tokens[:, None]).squeeze(-1)
    entropy = -(logprobs.exp() * logprobs).sum(-1)
    ((d_logprob * logprob).sum() + (d_entropy * entropy).sum()).backward()
    return {"seed": seed, "rows": rows, "vocab": vocab} | rounded(
        logprob=logprob, entropy=entropy, dLogits=logits.grad.flatten()
    )


LENGTHS = [7, 1, 0, 12, 5]


def batch(seed):
    """Packed sequences: log-probs around the old ones, far enough from them for every clip to act."""
    g = Generator(seed)
    tokens = sum(LENGTHS)
    b = {"old": g.floats(tokens, -3, -0.25)}
    b["lp"] = (b["old"] + g.floats(tokens, -0.6, 0.6)).float().double()
    b["ref"] = (b["lp"].detach() + g.floats(tokens, -0.5, 0.5)).float().double()
    b["entropy"] = g.floats(tokens, 0, 2)
    b["A"] = g.floats(len(LENGTHS), -2, 2)
    b["selected"] = g.integers(tokens, 4) == 0
    b["mask"] = g.integers(tokens, 8) != 0
    b["lp"].requires_grad_()
    b["entropy"].requires_grad_()
    return b


def pick(condition, yes, no):
    return torch.where(torch.as_tensor(condition), yes, no)


def clip(s):
    low, high = 1 - s.get("clipLow", 0.2), 1 + s.get("clipHigh", 0.2)

    def loss(t, A):
        r = t["r"]
        unclipped = torch.clamp(r, max=s["delta"]) if "delta" in s else r
        value = torch.maximum(-unclipped * A, -torch.clamp(r, low, high) * A)
        if "dualClip" in s:
            value = pick(A < 0, torch.minimum(value, -s["dualClip"] * A), value)
        return value

    return loss


def cispo(s):
    low, high = 1 - s.get("clipLow", 0.2), 1 + s.get("clipHigh", 0.2)
    return lambda t, A: -torch.clamp(t["r"], low, high).detach() * A * t["lp"]


def topr(_):
    return lambda t, A: pick(A > 0, -A * t["lp"], -torch.clamp(t["r"], max=1).detach() * A * t["lp"])


def reinforce(_):
    return lambda t, A: -A * t["lp"]


def dppo(s):
    low, high = s.get("clipLow", 0.2), s.get("clipHigh", 0.2)

    def loss(t, A):
        p, q = t["lp"].detach().exp(), t["old"].exp()
        if s["loss"] == "dppo-tv":
            up, down = p - q > high, p - q < -low
        else:
            divergence = q * (q / p).log() + (1 - q) * ((1 - q) / (1 - p)).log()
            up, down = (divergence > high) & (p > q), (divergence > low) & (p < q)
        keep = ~pick(A > 0, up, down)
        return -torch.clamp(t["r"], max=20).detach() * keep * A * t["lp"]

    return loss


def vespo(_):
    def loss(t, A):
        k, lam = (2, 3) if A >= 0 else (3, 2)
        log_w = (t["lp"] - t["old"]).detach().sum()
        phi = torch.exp(lam + k * log_w - lam * log_w.exp())
        return -phi * A * t["lp"]

    return loss


def sapo(s):
    def loss(t, A):
        tau = s.get("tauPositive", 1.0) if A > 0 else s.get("tauNegative", 1.05)
        return -A * (4 / tau) * torch.sigmoid(tau * (t["r"] - 1))

    return loss


def gmpo(s):
    def loss(t, A):
        d = t["lp"] - t["old"]
        limited = torch.clamp(d, max=s["clipHigh"]) if A > 0 else torch.clamp(d, min=-s["clipLow"])
        return -A * limited.mean().exp() * torch.ones_like(d)

    return loss


def kl_cov(s):
    return lambda t, A: -t["r"] * A + t["selected"] * s.get("coefficient", 1.0) * (t["lp"] - t["old"]).abs()


def squared(s):
    return lambda t, A: -A * t["lp"] + s.get("coefficient", 0.1) / 2 * (t["lp"] - t["old"]) ** 2


TERMS = {
    **{"clip": clip, "cispo": cispo, "topr": topr, "reinforce": reinforce, "dppo-tv": dppo, "dppo-kl": dppo},
    **{"vespo": vespo, "sapo": sapo, "gmpo": gmpo, "kl-cov": kl_cov, "squared": squared},
}


def kl(s, t):
    form = s.get("klForm", "k3")
    u = t["ref"] - t["lp"]
    value = {"k1": -u, "k2": u**2 / 2, "k3": u.exp() - 1 - u, "abs": u.abs()}[form.rstrip("+")]
    if form.endswith("+"):  # verl: the value of the form, the gradient of k2.
        value = value.detach() - (u**2 / 2).detach() + u**2 / 2
    correction = s.get("klCorrection", "none")
    if correction == "ratio":
        return (t["lp"] - t["old"]).exp() * value
    if correction == "on-policy":
        return (t["lp"] - t["lp"].detach()).exp() * value
    return value


def aggregate(s, sums, counts):
    """`sums`: of the token losses of each sequence with a valid token."""
    mode = s.get("aggregation", "token-mean")
    if mode == "token-mean":
        return sum(sums) / sum(counts)
    if mode == "token-sum":
        return sum(sums)
    if mode == "seq-mean-token-mean":
        return sum(x / n for x, n in zip(sums, counts)) / len(sums)
    if mode == "seq-mean-token-sum":
        return sum(sums) / len(sums)
    return sum(sums) / (len(sums) * s["horizon"])


def policy_case(name, seed, case):
    given, settings = case if isinstance(case, tuple) else ({"aggregation": "token-mean"} | case, case)
    b = batch(seed)
    term = TERMS[settings.get("loss", "clip")](settings)
    sums, counts, start = [], [], 0
    for A, length in zip(b["A"], LENGTHS):
        index = [i for i in range(start, start + length) if b["mask"][i]]
        start += length
        if not index:
            continue
        t = {key: b[key][index] for key in ("lp", "old", "ref", "entropy", "selected")}
        d = t["lp"] - t["old"]
        if settings.get("ratioLevel") == "sequence":
            d = d.mean().expand(len(index))
        t["r"] = d.exp()
        loss = term(t, A)
        if settings.get("selectedDrops"):
            loss = loss * ~t["selected"]
        if settings.get("klCoef"):
            loss = loss + settings["klCoef"] * kl(settings, t)
        loss = loss - settings.get("entropyCoef", 0) * t["entropy"]
        sums.append(loss.sum())
        counts.append(len(index))
    total = aggregate(settings, sums, counts)
    total.backward()
    gradients = {"dLogprobs": b["lp"].grad}
    if settings.get("entropyCoef"):
        gradients["dEntropies"] = b["entropy"].grad
    return {"name": name, "seed": seed, "options": given} | rounded(loss=total, **gradients)


def rounded(**values):
    """Ten significant digits: more than float32 has."""

    def of(value):
        return [of(v) for v in value] if isinstance(value, list) else float(f"{value:.10g}")

    return {name: of(value.tolist()) for name, value in values.items()}


SEQUENCE_MEAN = {"aggregation": "seq-mean-token-mean"}
POLICY_CASES = {
    # Presets: what CrossThink is asked for, and what it has to mean.
    "grpo": ({"preset": "grpo", "klCoef": 0.04}, {"klCoef": 0.04, **SEQUENCE_MEAN}),
    "dr_grpo": ({"preset": "dr_grpo", "horizon": 16}, {"aggregation": "seq-mean-token-sum-norm", "horizon": 16}),
    "dapo": ({"preset": "dapo"}, {"clipHigh": 0.28}),
    "gspo": ({"preset": "gspo"}, {"ratioLevel": "sequence", "clipLow": 3e-4, "clipHigh": 4e-4, **SEQUENCE_MEAN}),
    "cispo": ({"preset": "cispo"}, {"loss": "cispo", "clipLow": 1, "clipHigh": 4}),
    "gmpo": ({"preset": "gmpo"}, {"loss": "gmpo", "clipLow": 0.4, "clipHigh": 0.4, **SEQUENCE_MEAN}),
    "sapo": ({"preset": "sapo"}, {"loss": "sapo", **SEQUENCE_MEAN}),
    "vespo": ({"preset": "vespo"}, {"loss": "vespo"}),
    "luspo": ({"preset": "luspo"}, {"ratioLevel": "sequence", "aggregation": "seq-mean-token-sum"}),
    "trl": ({"preset": "trl@2026-07"}, {}),
    "verl": ({"preset": "verl@2026-08"}, {"dualClip": 3}),
    "nemo-rl": ({"preset": "nemo-rl@2026-08"}, {"klCoef": 0.01, "klCorrection": "on-policy"}),
    # Terms and options.
    "cispo, both bounds": {"loss": "cispo"},
    "dual clip": {"dualClip": 1.3},
    "delta": {"delta": 1.4},
    "gspo, wide": {"ratioLevel": "sequence", "clipLow": 0.1, "clipHigh": 0.1, **SEQUENCE_MEAN},
    "topr": {"loss": "topr"},
    "reinforce": {"loss": "reinforce", "aggregation": "token-sum"},
    "dppo-tv": {"loss": "dppo-tv", "clipLow": 0.05, "clipHigh": 0.05},
    "dppo-kl": {"loss": "dppo-kl", "clipLow": 0.02, "clipHigh": 0.02},
    "kl-cov": {"loss": "kl-cov", "coefficient": 0.5},
    "clip-cov": {"selectedDrops": True},
    "squared": {"loss": "squared", "coefficient": 0.3},
    "entropy bonus": {"entropyCoef": 0.02},
    **{f"kl {form}": {"klCoef": 0.1, "klForm": form} for form in ["k1", "k2", "k3", "abs", "k1+", "k3+", "abs+"]},
    "kl, ratio": {"klCoef": 0.1, "klCorrection": "ratio"},
    "kl, on-policy": {"klCoef": 0.1, "klCorrection": "on-policy"},
}


def main():
    assert math.isclose(Generator(1).uniform(), 1015568748 / 2**32)
    record = {
        "torch": torch.__version__,
        "lengths": LENGTHS,
        "logprob": [logprob_case(1, 5, 37), logprob_case(2, 3, 300)],
        "policyLoss": [policy_case(name, 11 + i, s) for i, (name, s) in enumerate(POLICY_CASES.items())],
    }
    json.dump(record, sys.stdout, separators=(",", ":"))
    print()


main()
