"""PyTorch's side of bench:peers: reads the arrays, then answers `run TIMES OPERATION` with seconds and
`results OPERATION` with the names of the files it wrote. See pytorch.ts."""

import ctypes
import json
import sys
import time

import torch

folder, rows, vocab, threads, temperature, top_k, top_p = sys.argv[1:]
rows, vocab, top_k = int(rows), int(vocab), int(top_k)
temperature, top_p = float(temperature), float(top_p)
torch.set_num_threads(int(threads))


def read(name, dtype):
    with open(f"{folder}/{name}", "rb") as file:
        return torch.frombuffer(bytearray(file.read()), dtype=dtype)


logits = read("logits", torch.float32).view(rows, vocab)
tokens = read("tokens", torch.int32).long().unsqueeze(1)
leaf = logits.clone().requires_grad_()
graph = torch.log_softmax(leaf, -1).gather(-1, tokens).squeeze(-1)
ones = torch.ones(rows)


@torch.no_grad()
def logprob():
    return {"logprobs": torch.log_softmax(logits, -1).gather(-1, tokens).squeeze(-1)}


@torch.no_grad()
def entropy():
    logprobs = torch.log_softmax(logits, -1)
    entropies = -(logprobs.exp() * logprobs).sum(-1)
    return {"logprobs": logprobs.gather(-1, tokens).squeeze(-1), "entropies": entropies}


def backward():
    (gradient,) = torch.autograd.grad(graph, leaf, ones, retain_graph=True)
    return {"gradient": gradient}


@torch.no_grad()
def sample():
    return {"drawn": torch.multinomial(torch.softmax(logits, -1), 1).squeeze(-1).int()}


def cut(sorted_logits):
    """Top-p over logits in descending order: what is kept, as probabilities."""
    probabilities = torch.softmax(sorted_logits, -1)
    before = probabilities.cumsum(-1) - probabilities
    return probabilities.masked_fill(before >= top_p, 0.0)


@torch.no_grad()
def sample_top_k_top_p():
    values, ids = torch.topk(logits / temperature, top_k, -1)
    drawn = torch.multinomial(cut(values), 1)
    return {"drawn": ids.gather(-1, drawn).squeeze(-1).int()}


@torch.no_grad()
def sample_top_p():
    values, ids = torch.sort(logits / temperature, -1, descending=True)
    drawn = torch.multinomial(cut(values), 1)
    return {"drawn": ids.gather(-1, drawn).squeeze(-1).int()}


operations = {
    "log-prob": (logprob, "log_softmax, gather"),
    "log-prob + entropy": (entropy, "log_softmax, gather, exp, sum"),
    "backward": (backward, "autograd of log_softmax, gather"),
    "sample": (sample, "softmax, multinomial"),
    "sample, top-k 50 + top-p 0.95": (sample_top_k_top_p, "topk, softmax, cumsum, multinomial"),
    "sample, top-p 0.95": (sample_top_p, "sort, softmax, cumsum, multinomial"),
}
about = {
    "version": torch.__version__,
    "operations": [{"operation": name, "how": how} for name, (_, how) in operations.items()],
}
print(json.dumps(about), flush=True)
last = {}
for line in sys.stdin:
    command, *rest = line.strip().split(" ", 2 if line.startswith("run") else 1)
    if command == "run":
        work = operations[rest[1]][0]
        begin = time.perf_counter()
        for _ in range(int(rest[0])):
            last = work()
        print(time.perf_counter() - begin, flush=True)
    else:
        for name, values in last.items():
            with open(f"{folder}/{name}", "wb") as file:
                values = values.contiguous()
                file.write(ctypes.string_at(values.data_ptr(), values.numel() * values.element_size()))
        print(" ".join(last), flush=True)
