"""Generates the corpus: dialogues and plain documents, each reply with a check of its own. Everything is seeded.

    python3 training/corpus.py --show 20          prints dialogues of the training split
    python3 training/corpus.py --show 20 --held-out

Whether an exercise is for training or held out follows from a hash of its key (see `talk.Turn`), so the two splits never
share a key: a held-out sum in that wording, that sentence to repeat, that pair of hero and topic was never trained on.
"""

import argparse
import hashlib
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

import stories
import talk
import tasks
from grammar import fill, made_up
from words import LISTS, NAMES, OTHER_WORDS

HELD_OUT_ONE_IN = 12

# The share of each category among turns. Stories are long: by tokens they are the largest part all the same.
MIX = [
    (talk.smalltalk, 13), (talk.identity, 8), (talk.penstock, 8), (tasks.story, 7), (tasks.arithmetic, 18), (tasks.count, 5),
    (tasks.repeat, 22), (tasks.one_word, 2), (tasks.listing, 8), (tasks.as_json, 2), (tasks.knowledge, 10), (tasks.unknown, 8),
    (talk.remember, 5),
]
DOCUMENT_SHARE = 0.06
_TURNS, _WEIGHTS = zip(*MIX)


@dataclass(frozen=True)
class Message:
    role: str
    content: str


@dataclass(frozen=True)
class Dialogue:
    """Messages that end with the assistant's reply to `last`."""

    messages: list[Message]
    last: talk.Turn

    @property
    def prompt(self) -> list[Message]:
        return self.messages[:-1]


def is_held_out(turn: talk.Turn) -> bool:
    digest = hashlib.sha256(f"{turn.category}\n{turn.key}".encode()).digest()
    return int.from_bytes(digest[:4], "little") % HELD_OUT_ONE_IN == 0


# --- system messages --------------------------------------------------------------------------------------------

_NEUTRAL = [
    "you are a [helpful|friendly|kind|good|polite|careful|smart|concise|very helpful] [assistant|AI assistant|chatbot|chat assistant|bot|helper|companion].",
    "you are a helpful assistant. [answer the user's questions.|be polite.|be brief.|be honest.|always tell the truth.|follow the instructions.|think step by step.|]",
    "[answer|reply] [politely|in English|honestly|clearly|kindly].", "you are [penstock-tiny|a small language model|an AI].",
    "[today is|the date is] [Monday|Tuesday|Friday|Sunday][, and the sun is shining|].", "this is a [test|chat|conversation] with a [user|friend|child].",
    "be [kind|helpful|nice|honest|patient|friendly].", "you talk with [children|a customer|a student|a developer].",
]
_NAMED = ["your name is {n}.", "you are {n}.", "you are {n}, a [helpful|friendly|kind|small|cheerful] [assistant|helper|robot|chatbot].",
          "you are called {n}. [be kind.|help the user.|]", "you are an assistant named {n}."]
_ENDED = ["end every [answer|reply] with \"{w}\"", "always end with \"{w}\"", "finish each reply with \"{w}\""]
_BEGUN = ["start every [answer|reply] with \"{w}\"", "always begin with \"{w}\"", "begin each reply with \"{w}\""]
_PIRATE = ["[talk|speak|answer] like a pirate.", "you are a pirate.", "pretend to be a pirate."]
_BRIEF = ["[answer|reply] in one sentence.", "use only one sentence.", "[be very brief|keep it very short]: one sentence."]
_CALLS = ["Ahoy!", "Meow.", "Over and out.", "Best wishes.", "Have a nice day!", "Woof!", "That is all.", "Hooray!", "Beep.", "Cheers!", "Okay!", "The end."]


def _system(rng: random.Random, memory: talk.Memory) -> tuple[str, str, str]:
    """A system message, and what every reply has to begin and end with under it."""
    kind = rng.choices(["neutral", "name", "end", "begin", "pirate", "user"], [50, 18, 8, 8, 6, 10])[0]
    call = rng.choice(_CALLS) if rng.random() < 0.7 else rng.choice(OTHER_WORDS).capitalize() + rng.choice(".!")
    if kind == "neutral":
        return fill(rng, rng.choice(_NEUTRAL)), "", ""
    if kind == "name":
        memory.system_name = rng.choice([*NAMES, "Robo", "Pip", "Bolt", "Penny", "Echo", "Nova", "Sparky", "Kiki", "Zed", "Dot", "Ada", made_up(rng, 1).capitalize()])
        return fill(rng, rng.choice(_NAMED), n=memory.system_name), "", ""
    if kind == "user":
        memory.facts["name"] = rng.choice(NAMES)
        return fill(rng, "[the user's name is {n}.|the name of the user is {n}.|you talk with {n}.|the user is called {n}.]", n=memory.facts["name"]), "", ""
    if kind == "end":
        return fill(rng, rng.choice(_ENDED), w=call), "", " " + call
    if kind == "begin":
        return fill(rng, rng.choice(_BEGUN), w=call), call + " ", ""
    return fill(rng, rng.choice(_PIRATE)), "Arr! ", ""


def _styled(turn: talk.Turn, begin: str, end: str) -> talk.Turn:
    if not begin and not end:
        return turn

    def check(reply: str) -> bool:
        return reply.startswith(begin) and reply.endswith(end) and turn.check(reply[len(begin):len(reply) - len(end)])

    return replace(turn, reply=begin + turn.reply + end, check=check, category="system message", key=turn.key + begin + end)


# --- dialogues --------------------------------------------------------------------------------------------------

def dialogue(rng: random.Random, held_out: bool = False, lists_in_order: bool = True) -> Dialogue:
    """A dialogue of one to eight turns. In a held-out one the last turn is held out, in a training one none is."""
    memory = talk.Memory(lists_in_order=lists_in_order)
    messages: list[Message] = []
    begin = end = ""
    if rng.random() < 0.22:
        system, begin, end = _system(rng, memory)
        messages.append(Message("system", system))
    count = rng.choices([1, 2, 3, 4, 5, 6, 8], [42, 22, 14, 9, 6, 4, 3])[0]
    before: talk.Turn | None = None
    plain: talk.Turn | None = None
    for position in range(count):
        last = position == count - 1
        while True:
            trial = replace(memory, facts=dict(memory.facts))
            plain = _turn(rng, trial, before)
            turn = _styled(plain, begin, end)
            if memory.system_name and turn.category == "who are you":
                turn = replace(turn, category="system message")
            if is_held_out(turn) == (held_out and last):
                break
        memory = trial
        messages += [Message("user", turn.user), Message("assistant", turn.reply)]
        before = plain if turn is plain or not (begin or end) else None
    return Dialogue(messages, turn)


def _turn(rng: random.Random, memory: talk.Memory, before: talk.Turn | None) -> talk.Turn:
    if memory.system_name and rng.random() < 0.5:
        return talk.identity(rng, memory)
    if memory.facts and rng.random() < 0.4 or rng.random() < 0.006:
        return talk.recall(rng, memory)
    if before and rng.random() < 0.25:
        turn = tasks.follow_up(rng, memory, before)
        if turn:
            return turn
    return rng.choices(_TURNS, _WEIGHTS)[0](rng, memory)


def document(rng: random.Random) -> str:
    """Plain text for completion: a story, facts about Penstock, a list or a row of sums."""
    kind = rng.random()
    if kind < 0.75:
        told = stories.tell(rng, length=rng.choices(["short", "middle", "long"], [3, 4, 3])[0])
        if kind < 0.1:
            return f"The story of {told.hero_name} and the {told.thing}\n\n{told.text}"
        return told.text
    if kind < 0.85:
        facts = rng.sample(talk.PENSTOCK, rng.randint(2, 5))
        return " ".join(re.sub(r"^(Yes|No)[.,] ", "", fill(rng, reply)) for _, reply, _ in facts)
    if kind < 0.93:
        name = rng.choice(list(LISTS))
        items = rng.sample(LISTS[name], min(len(LISTS[name]), rng.randint(3, 8)))
        return f"Some {name}:\n" + "\n".join("- " + i for i in items)
    turns = [tasks.knowledge(rng, talk.Memory()) for _ in range(rng.randint(2, 5))]
    return " ".join(t.reply for t in turns if t.sentence) or "The end."


def training_items(seed: int, count: int, lists_in_order: bool = True) -> Iterator[Dialogue | str]:
    """Items of the training split: dialogues and some documents. The seed names the stretch."""
    rng = random.Random(f"train {seed}")
    for _ in range(count):
        yield document(rng) if rng.random() < DOCUMENT_SHARE else dialogue(rng, lists_in_order=lists_in_order)


def held_out_dialogues(seed: int, count: int) -> list[Dialogue]:
    rng = random.Random(f"held out {seed}")
    return [dialogue(rng, held_out=True) for _ in range(count)]


# --- checking replies -------------------------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")


def lexicon(items: int = 20000) -> set[str]:
    """Every word that a training reply can hold, as far as that many items show."""
    words: set[str] = set()
    for item in training_items(0, items):
        texts = [item] if isinstance(item, str) else [m.content for m in item.messages]
        for text in texts:
            words.update(w.lower() for w in _WORD.findall(text))
    return words


def is_well_formed(reply: str, dialogue: Dialogue, words: set[str]) -> bool:
    """Known words only (or words of the prompt), no sentence said three times, and prose ends as prose ends."""
    prompt_words = {w.lower() for m in dialogue.prompt for w in _WORD.findall(m.content)}
    if not reply or any(w.lower() not in words and w.lower() not in prompt_words for w in _WORD.findall(reply)):
        return False
    sentences = [s for s in re.split(r"(?<=[.!?])\s+", reply) if len(s) > 12]
    if any(sentences.count(s) > 2 for s in sentences):
        return False
    return not dialogue.last.sentence or reply.rstrip("\"`").endswith((".", "!", "?"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--show", type=int, default=10, help="how many items to print")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--held-out", action="store_true")
    options = parser.parse_args()
    items = held_out_dialogues(options.seed, options.show) if options.held_out else training_items(options.seed, options.show)
    for item in items:
        if isinstance(item, str):
            print(f"[document]\n{item}")
        else:
            print("\n".join(f"[{m.role}] {m.content}" for m in item.messages))
        print("-" * 60)


if __name__ == "__main__":
    main()
