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
LIMIT = 800  # tokens of a reply


def generate(model: llama.Llama, tokenizer: tk.Tokenizer, prompt: str, limit: int) -> str | None:
    """The greedy reply to a rendered prompt; None where it did not end within the limit of tokens."""
    cache = llama.Cache()
    step = tokenizer.encode(prompt)
    reply: list[int] = []
    with torch.inference_mode():
        while len(reply) < limit and cache.tokens + len(step) <= model.shape.context:
            token = int(model.logits(model.hidden_states(torch.tensor([step]), cache)[0, -1]).argmax())
            if token == tokenizer.vocabulary[tk.END]:
                return tokenizer.decode(reply)
            reply.append(token)
            step = [token]
    return None


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
        for text in options.ask:
            prompt = llama.render([corpus.Message("user", text)], True)
            print(f"> {text}\n{generate(model, tokenizer, prompt, LIMIT)}\n")
        return
    dialogues = corpus.held_out_dialogues(options.seed, options.count)
    words = corpus.lexicon()
    total, good = Counter(), Counter()
    failures = []
    for dialogue in dialogues:
        reply = generate(model, tokenizer, llama.render(dialogue.prompt, True), LIMIT)
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
