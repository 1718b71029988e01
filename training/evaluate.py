"""Evaluates an exported model on held-out dialogues: greedy replies, judged by the corpus's own checks.

    python3 training/evaluate.py --count 200

A reply counts when it is on topic (the check of its exercise holds) and well formed (it ended by itself, it is made of
known words, it does not go in circles).
"""

import argparse
from collections import Counter
from pathlib import Path

import torch

import corpus
import model as llama
import tokenizer as tk

ROOT = Path(__file__).resolve().parent.parent
BATCH = 50


def generate(model: llama.Llama, tokenizer: tk.Tokenizer, prompts: list[str], limit: int) -> list[str | None]:
    """Greedy replies to rendered prompts; None where the reply did not end within the limit. Recomputes, keeps no cache."""
    end = tokenizer.vocabulary[tk.END]
    rows = [tokenizer.encode(prompt) for prompt in prompts]
    starts = [len(row) for row in rows]
    running = list(range(len(rows)))
    with torch.inference_mode():
        while running:
            width = max(len(rows[i]) for i in running)
            ids = torch.tensor([rows[i] + [0] * (width - len(rows[i])) for i in running])
            last = torch.tensor([len(rows[i]) - 1 for i in running])
            states = model.hidden_states(ids)[torch.arange(len(running)), last]  # padding is to the right: unseen
            for i, token in zip(list(running), model.logits(states).argmax(-1).tolist()):
                rows[i].append(token)
                if token == end or len(rows[i]) - starts[i] > limit or len(rows[i]) >= model.shape.context:
                    running.remove(i)
    return [tokenizer.decode(row[start:-1]) if row[-1] == end else None for row, start in zip(rows, starts)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, default=ROOT / "src/main/resources/penstock-tiny")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--failures", type=int, default=20, help="how many failed dialogues to print")
    parser.add_argument("--ask", nargs="*", help="prints the replies to these requests instead")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model, tokenizer = llama.load(options.model)
    if options.ask:
        asked = [llama.render([corpus.Message("user", text)], True) for text in options.ask]
        for text, reply in zip(options.ask, generate(model, tokenizer, asked, 800)):
            print(f"> {text}\n{reply}\n")
        return
    dialogues = corpus.held_out_dialogues(options.seed, options.count)
    words = corpus.lexicon()
    order = sorted(range(len(dialogues)), key=lambda i: len(dialogues[i].messages[-1].content))  # like lengths together
    total, good = Counter(), Counter()
    failures = []
    for begin in range(0, len(order), BATCH):
        group = [dialogues[i] for i in order[begin:begin + BATCH]]
        prompts = [llama.render(d.prompt, True) for d in group]
        for dialogue, reply in zip(group, generate(model, tokenizer, prompts, 800)):
            category = dialogue.last.category
            total[category] += 1
            if reply is not None and dialogue.last.check(reply) and corpus.is_well_formed(reply, dialogue, words):
                good[category] += 1
            else:
                failures.append((category, dialogue, reply))
    for category, dialogue, reply in failures[: options.failures]:
        print(f"[{category}] {dialogue.messages[-2].content}\n  wanted: {dialogue.messages[-1].content}\n  got:    {reply}")
    print(f"\n{'category':<16} {'good':>5} {'of':>5}")
    for category in sorted(total):
        print(f"{category:<16} {good[category]:>5} {total[category]:>5}")
    print(f"{'all':<16} {good.total():>5} {total.total():>5}   {100 * good.total() / total.total():.1f} %")


if __name__ == "__main__":
    main()
