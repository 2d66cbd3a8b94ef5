"""PyTorch and FlashInfer beside the kernels of test/gpu, on the shapes that the runner timed: what scripts/gpu-check.sh runs
where `import torch` finds a GPU.

    python3 bench/peers/gpu_peers.py REPORT.json [--device cpu]

Reads the runner's report, times the same work on the same device, adds what it found to the report as "peers" and prints
a table. `--device cpu` rehearses it without a GPU: the figures then mean nothing. A peer that fails is reported, not fatal.
"""

import argparse
import json
import statistics
import time

import torch

TEMPERATURE, TOP_K, TOP_P = 0.8, 50, 0.9  # As test/gpu/timing.cpp.
REPEATS, WARM_UP = 9, 3

try:
    import flashinfer
except ImportError:
    flashinfer = None


def milliseconds(device, run):
    """Median of one call, by events where there is a GPU."""
    times = []
    for i in range(REPEATS + WARM_UP):
        if device == "cuda":
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            run()
            end.record()
            end.synchronize()
            elapsed = begin.elapsed_time(end)
        else:
            start = time.perf_counter()
            run()
            elapsed = (time.perf_counter() - start) * 1e3
        if i >= WARM_UP:
            times.append(elapsed)
    return statistics.median(times)


def logprob_and_entropy(x, tokens):
    logprobs = torch.log_softmax(x.float(), -1)
    return logprobs.gather(-1, tokens).squeeze(-1), -(logprobs.exp() * logprobs).sum(-1)


def probabilities(x):
    return torch.softmax(x.float() / TEMPERATURE, -1)


def draw(p):
    """One token a row without waiting for the device, as vLLM does it; torch.multinomial waits."""
    return (p / torch.empty_like(p).exponential_()).argmax(-1)


def draw_top_k(x):
    values, ids = x.float().topk(TOP_K, -1)
    return ids.gather(-1, draw(torch.softmax(values / TEMPERATURE, -1)).unsqueeze(-1))


def draw_top_p(x, values=None, ids=None):
    if values is None:
        values, ids = x.float().sort(-1, descending=True)
    p = torch.softmax(values / TEMPERATURE, -1)
    p = p.masked_fill(p.cumsum(-1) - p >= TOP_P, 0.0)
    return ids.gather(-1, draw(p).unsqueeze(-1))


def contestants(x, tokens):
    """(our operation, whose, what it does, the call) for logits [rows, vocab]."""
    yield "logprob and entropy", "PyTorch", "log_softmax, gather, sum", lambda: logprob_and_entropy(x, tokens)
    compiled = torch.compile(logprob_and_entropy, dynamic=True)
    yield "logprob and entropy", "PyTorch", "the same, compiled", lambda: compiled(x, tokens)
    leaf = x.detach().clone().requires_grad_()
    loss = torch.log_softmax(leaf.float(), -1).gather(-1, tokens).sum()
    yield "logprob backward", "PyTorch", "autograd", lambda: torch.autograd.grad(loss, leaf, retain_graph=True)
    yield "sampling", "PyTorch", "softmax, exponential, argmax", lambda: draw(probabilities(x))
    yield "sampling", "PyTorch", "softmax, multinomial", lambda: torch.multinomial(probabilities(x), 1)
    yield "sampling top-k 50", "PyTorch", "topk", lambda: draw_top_k(x)
    yield "sampling top-p 0.9", "PyTorch", "sort, cumsum", lambda: draw_top_p(x)
    yield "sampling k 50, p 0.9", "PyTorch", "topk, cumsum", lambda: draw_top_p(x, *x.float().topk(TOP_K, -1))
    if flashinfer is None:
        return
    f = flashinfer.sampling
    yield "sampling", "FlashInfer", "sampling_from_logits", lambda: f.sampling_from_logits(x.float() / TEMPERATURE)
    yield "sampling", "FlashInfer", "softmax, from_probs", lambda: f.sampling_from_probs(probabilities(x))
    yield "sampling top-k 50", "FlashInfer", "softmax, top_k", lambda: f.top_k_sampling_from_probs(probabilities(x), TOP_K)
    yield "sampling top-p 0.9", "FlashInfer", "softmax, top_p", lambda: f.top_p_sampling_from_probs(probabilities(x), TOP_P)
    for order in ("joint", "top_k_first"):
        yield "sampling k 50, p 0.9", "FlashInfer", f"top_k_top_p, {order}", lambda order=order: (
            f.top_k_top_p_sampling_from_logits(x.float() / TEMPERATURE, TOP_K, TOP_P, filter_apply_order=order)
        )


def check(x, tokens):
    """That what is timed is the same work: log-probs and entropies against float64."""
    logprob, entropy = logprob_and_entropy(x, tokens)
    exact = torch.log_softmax(x.double(), -1)
    assert torch.allclose(logprob.double(), exact.gather(-1, tokens).squeeze(-1), atol=1e-4)
    assert torch.allclose(entropy.double(), -(exact.exp() * exact).sum(-1), atol=1e-3)
    kept = x.float().topk(TOP_K, -1).indices
    assert (kept == draw_top_k(x)).any(-1).all() and (kept == draw_top_p(x, *x.float().topk(TOP_K, -1))).any(-1).all()


def compare(ours, device, seconds):
    """The peers' figures for the shapes in `ours`, one after another; after so many seconds no more are begun."""
    end = time.monotonic() + seconds
    shapes = sorted({(k["rows"], k["vocab"], k["type"]) for k in ours if k["operation"].startswith("sampling")})
    for rows, vocab, kind in shapes:
        torch.manual_seed(1)
        x = (2 * torch.randn(rows, vocab, device=device)).to(getattr(torch, kind))
        tokens = torch.ones(rows, 1, dtype=torch.long, device=device)
        check(x[:16], tokens[:16])
        for operation, peer, how, run in contestants(x, tokens):
            entry = {"operation": operation, "type": kind, "rows": rows, "vocab": vocab, "peer": peer, "how": how}
            if time.monotonic() > end:
                yield {**entry, "error": "not run: out of time"}
                continue
            try:
                entry["us"] = round(milliseconds(device, run) * 1e3, 2)
                entry["memory_GiB"] = round(torch.cuda.max_memory_allocated() / 2**30, 2) if device == "cuda" else None
            except Exception as error:  # A peer's failure is a finding.
                entry["error"] = f"{type(error).__name__}: {str(error).splitlines()[0][:200] if str(error) else ''}"
            yield entry


def line(entry, mine):
    shape = f"{entry['operation']:<21} {entry['type']:<8} {entry['rows']:>5} x {entry['vocab']:<6}"
    who = f"{entry['peer']}: {entry['how']}"
    if "error" in entry:
        return f"{shape} {who:<42} {entry['error']}"
    return f"{shape} {who:<42} {entry['us']:>10.1f} us, CrossThink {mine:>10.1f} us: {entry['us'] / mine:.2f}x"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("report", help="what gpu_runner --json wrote; \"peers\" is added to it")
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda")
    parser.add_argument("--seconds", type=float, default=90)
    options = parser.parse_args()
    with open(options.report, encoding="utf-8") as file:
        report = json.load(file)
    ours = report["timings"]["kernels"]
    versions = {"PyTorch": torch.__version__, "FlashInfer": getattr(flashinfer, "__version__", "not installed")}
    print(", ".join(f"{name} {version}" for name, version in versions.items()) + f", on {options.device}")
    us = {(k["operation"], k["type"], k["rows"], k["vocab"]): k["us"] for k in ours}
    peers = {"versions": versions, "device": options.device, "kernels": []}
    for entry in compare(ours, options.device, options.seconds):
        print(line(entry, us[entry["operation"], entry["type"], entry["rows"], entry["vocab"]]), flush=True)
        peers["kernels"].append(entry)
    with open(options.report, "w", encoding="utf-8") as file:
        json.dump({**report, "peers": peers}, file, indent=1)


if __name__ == "__main__":
    main()
