"""A tiny text grammar: `[a|b|]` picks one alternative (they nest), `{name}` inserts a variable."""

import random
import re

_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_VARIABLE = re.compile(r"\{(\w+)\}")


def fill(rng: random.Random, template: str, **variables: str) -> str:
    """Expands a template and repairs what joining breaks: a/an, doubled spaces, capitals at sentence starts."""
    while True:
        template, found = _INNERMOST.subn(lambda m: rng.choice(m.group(1).split("|")), template, count=1)
        if not found:
            break
    return tidy(_VARIABLE.sub(lambda m: str(variables[m.group(1)]), template))


def tidy(text: str) -> str:
    text = re.sub(r" +", " ", text).strip()
    text = re.sub(r"\b([Aa]) (?=[aeiouAEIOU])(?!uni|one\b|use|Uni)", r"\1n ", text)
    text = re.sub(r" ([,.!?])", r"\1", text)
    return re.sub(r"(^|[.!?] |\.\" |\n|(?:^|[ \n])\")([a-z])", lambda m: m.group(1) + m.group(2).upper(), text)


def article(noun: str) -> str:
    """The noun with its indefinite article."""
    return tidy("a " + noun)[0].lower() + tidy("a " + noun)[1:]


def join_words(words: list[str]) -> str:
    """'a', 'a and b', 'a, b and c'."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


def plural(noun: str, count: int) -> str:
    if count == 1:
        return noun
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeo" else noun + ("es" if noun.endswith(("s", "sh", "ch", "x")) else "s")


def made_up(rng: random.Random, words: int) -> str:
    """Words that nobody knows, so that copying is learnt and not only speaking."""
    return " ".join("".join(rng.choice("b c d f g h k l m n p r s t v w z bl tr st".split()) + rng.choice("aeiou")
                            for _ in range(rng.randint(1, 4))) + rng.choice(["", "", "n", "r", "x", "ck"]) for _ in range(words))
