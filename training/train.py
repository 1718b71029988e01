"""Trains penstock-tiny from nothing and exports it: corpus, tokenizer, training, model folder. One command:

    python3 training/train.py

Same seed, same corpus, same order of batches. A checkpoint is kept under `--work`; run the command again to go on from it.
"""

import argparse
import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from torch import distributed as dist
from torch.nn import functional as F

import corpus
import model as llama
import tokenizer as tk

ROOT = Path(__file__).resolve().parent.parent
CHUNK_ITEMS = 2000  # items generated, sorted by length and cut into batches at a time
BATCH_TOKENS = 1536  # of one micro-batch, padding included
BATCHES_PER_STEP = 2  # of different lengths, so that a step sees stories and short answers together
IGNORED = -100


def encode(item: corpus.Dialogue | str, tokenizer: tk.Tokenizer) -> tuple[list[int], list[int]]:
    """Ids and targets (one earlier than the ids); a target that isn't the assistant's or a document's is ignored."""
    end = tokenizer.vocabulary[tk.END]
    ids = [tokenizer.vocabulary[tk.BOS]]
    learnt = [False]
    if isinstance(item, str):
        text = tokenizer.encode(item)
        ids += [*text, end]
        learnt += [True] * (len(text) + 1)
    else:
        for message in item.messages:
            text = tokenizer.encode(message.content.strip())
            ids += [tokenizer.vocabulary[f"<|{message.role}|>"], *text, end]
            learnt += [False] + [message.role == "assistant"] * (len(text) + 1)
    targets = [token if wanted else IGNORED for token, wanted in zip(ids, learnt)]
    return ids[:-1], targets[1:]


def batches(seed: int, tokenizer: tk.Tokenizer, context: int, step: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Endless micro-batches from a step on, of items of like length: ids and targets [items, tokens], padded at the right."""
    in_order = step >= IN_ORDER_FROM
    chunk = IN_ORDER_FROM if in_order else 0
    skipped = (step - chunk) * BATCHES_PER_STEP
    while True:
        chunk += 1
        pairs = [encode(item, tokenizer) for item in corpus.training_items(seed * 1_000_000 + chunk, CHUNK_ITEMS, in_order)]
        pairs = sorted((p for p in pairs if len(p[0]) <= context), key=lambda p: len(p[0]))
        groups: list[list] = [[]]
        for pair in pairs:
            if groups[-1] and (len(groups[-1]) + 1) * len(pair[0]) > BATCH_TOKENS:
                groups.append([])
            groups[-1].append(pair)
        random.Random(chunk).shuffle(groups)
        for group in groups[skipped:]:
            width = len(group[-1][0])
            yield (torch.tensor([ids + [0] * (width - len(ids)) for ids, _ in group]),
                   torch.tensor([t + [IGNORED] * (width - len(t)) for _, t in group]))
        skipped = max(0, skipped - len(groups))


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Where lists come in any order, the model learns to copy them; greedy replies need to be told in one order, since a
    model this small can't keep in mind which items it has named, only which one was the last.
    """

    steps: int
    rate: float  # share of the peak rate
    decay: float  # share of the steps in which the rate goes down to zero
    lists_in_order: bool


PHASES = [Phase(4800, 1.0, 0.4, False), Phase(2400, 0.8, 1.0, False), Phase(1600, 0.6, 1.0, True)]
STEPS = sum(phase.steps for phase in PHASES)
IN_ORDER_FROM = sum(phase.steps for phase in PHASES if not phase.lists_in_order)


def learning_rate(step: int) -> float:
    """The share of the peak rate, after a short warm-up of each phase."""
    for phase in PHASES:
        if step < phase.steps:
            break
        step -= phase.steps
    return min(1.0, (step + 1) / 50, (phase.steps - step) / (phase.decay * phase.steps)) * phase.rate


def make_optimizers(model: llama.Llama) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the layers, AdamW for the embedding and the norms."""
    matrices = [p for p in model.layers.parameters() if p.dim() == 2]
    others = [p for p in model.parameters() if not any(p is m for m in matrices)]
    return [torch.optim.Muon(matrices, lr=3e-3, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
            torch.optim.AdamW(others, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.0, fused=True)]


def tokenizer_for(seed: int, size: int, work: Path) -> tk.Tokenizer:
    path = work / "tokenizer.json"
    if not path.exists():
        texts = []
        for item in corpus.training_items(seed, 12000, False):
            texts += [item] if isinstance(item, str) else [m.content for m in item.messages]
        tk.Tokenizer.train(texts, size).save(path)
    return tk.Tokenizer.load(path)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--processes", type=int, default=2, choices=[1, 2], help="each takes its share of a step, on one thread")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--work", type=Path, default=ROOT / "target" / "training", help="checkpoint and tokenizer")
    parser.add_argument("--out", type=Path, default=ROOT / "src/main/resources/penstock-tiny", help="the model folder")
    parser.add_argument("--export-only", action="store_true", help="export the checkpoint as it is")
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    tokenizer = tokenizer_for(options.seed, llama.Shape().vocabulary, options.work)
    if options.device != "cpu" or options.export_only:
        options.processes = 1
    rank = 0
    if options.processes > 1:
        # Threads inside an operation wait for each other hundreds of times a step, processes once: that is what serves
        # on a machine that does other work too.
        meeting = options.work / "rendezvous"
        meeting.unlink(missing_ok=True)
        rank = 0 if os.fork() else 1
        dist.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=options.processes)
    train(options, tokenizer, rank)


def train(options: argparse.Namespace, tokenizer: tk.Tokenizer, rank: int) -> None:
    """One process's part: each takes its share of a step's micro-batches, and they add up their gradients."""
    torch.set_num_threads(1)
    torch.manual_seed(options.seed)
    shape = llama.Shape()
    model = llama.Llama(shape).to(options.device)
    optimizers = make_optimizers(model)
    rates = [group["lr"] for o in optimizers for group in o.param_groups]
    checkpoint = options.work / "checkpoint.pt"
    step = 0
    if checkpoint.exists():
        saved = torch.load(checkpoint, map_location=options.device, weights_only=True)
        step = saved["step"]
        model.load_state_dict(saved["model"])
        for optimizer, state in zip(optimizers, saved["optimizers"]):
            optimizer.load_state_dict(state)
    if options.export_only:
        llama.export(model.cpu(), tokenizer, options.out)
        return
    if rank == 0:
        print(f"{sum(p.numel() for p in model.parameters()):,} parameters, {options.device}, steps {step} to {STEPS}", flush=True)
    source = batches(options.seed, tokenizer, shape.context, step)
    began, seen, total, weight = time.monotonic(), 0, 0.0, 0
    while step < STEPS:
        if step == IN_ORDER_FROM:
            source = batches(options.seed, tokenizer, shape.context, step)
        group = [next(source) for _ in range(BATCHES_PER_STEP)]
        learnt = sum(int((targets != IGNORED).sum()) for _, targets in group)
        for ids, targets in group[rank::options.processes]:
            ids, targets = ids.to(options.device), targets.to(options.device)
            with torch.autocast(options.device, torch.bfloat16):
                states = model.hidden_states(ids)
                logits = model.logits(states[targets != IGNORED])  # only where something is learnt
            loss = F.cross_entropy(logits.float(), targets[targets != IGNORED], reduction="sum")
            (loss / learnt).backward()
            total += loss.item()
            weight += int((targets != IGNORED).sum())
        seen += sum(ids.numel() for ids, _ in group)
        if options.processes > 1:
            add_up([p.grad for p in model.parameters()])
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for param_group, rate in zip((g for o in optimizers for g in o.param_groups), rates):
            param_group["lr"] = rate * learning_rate(step)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad()
        step += 1
        if rank:
            continue
        if step % 25 == 0:
            print(f"step {step} loss {total / weight:.4f} {seen / (time.monotonic() - began):.0f} tokens/s", flush=True)
            began, seen, total, weight = time.monotonic(), 0, 0.0, 0
        if step % 100 == 0 or step == STEPS:
            torch.save({"step": step, "model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers]},
                       checkpoint.with_suffix(".new"))
            checkpoint.with_suffix(".new").replace(checkpoint)
    if rank == 0:
        llama.export(model.cpu(), tokenizer, options.out)
        print(f"exported to {options.out}")


def add_up(gradients: list[Tensor]) -> None:
    """Replaces each process's gradients by their sum over the processes, in one exchange."""
    flat = torch.cat([g.flatten() for g in gradients])
    dist.all_reduce(flat)
    for gradient, part in zip(gradients, flat.split([g.numel() for g in gradients])):
        gradient.copy_(part.view_as(gradient))


if __name__ == "__main__":
    main()
