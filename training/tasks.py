"""Turns that ask for something: a story, a number, a list, a word repeated, a fact. Built as those of `talk` are."""

import json
import random
import re

import stories
from grammar import article, fill, join_words, made_up, plural
from talk import Memory, Turn, ask, has, has_stem, is_exactly
from words import (ADJECTIVES, ADVERBS, ANIMALS, CAPITALS, COLOUR_OF, COLOURS, FACTS, GIRLS, HOMES, LISTS, NAMES, NUMBER_WORDS,
                   OPPOSITES, OTHER_WORDS, SOUNDS, SPOTS, THINGS, TRAITS, UNKNOWN_PLACES, VERBS)


# --- stories ----------------------------------------------------------------------------------------------------

_TELL = "[tell me|write|please tell me|can you tell me|I want to hear|write me|make up|give me|tell us|I would like] "
_LENGTHS = {"short": ("short ", 5, 12), "middle": ("", 7, 24), "long": ("long ", 14, 48)}


def story(rng: random.Random, memory: Memory) -> Turn:
    length = rng.choices(["short", "middle", "long"], [4, 4, 2])[0]
    word, shortest, longest = _LENGTHS[length]
    word = word or rng.choice(["", "", "nice ", "little ", "new ", "good "])
    kind = rng.choice(["free", "hero", "hero", "trait", "thing", "thing", "name", "name thing", "pair", "spot", "theme"])
    hero, friend = rng.sample(ANIMALS, 2)
    thing = rng.choice([t for t in THINGS if t not in (hero, friend)])
    name, trait, spot = rng.choice(NAMES), rng.choice(TRAITS), rng.choice(SPOTS)
    theme = rng.choice(list(stories.THEMES))
    about, given, mentions = {
        "free": ("", {}, []),
        "hero": (f" about {article(hero)}", {"hero": hero}, [hero]),
        "trait": (f" about {article(trait + ' ' + hero)}", {"hero": hero, "trait": trait}, [hero]),
        "thing": (f" about {article(thing)}", {"thing": thing}, [thing]),
        "name": (f" about [|a child named |]{name}", {"hero": "girl" if name in GIRLS else "boy", "hero_name": name}, [name]),
        "name thing": (f" about {name} and [a|the] {thing}", {"hero": "girl" if name in GIRLS else "boy", "hero_name": name, "thing": thing}, [name, thing]),
        "pair": (f" about {article(hero)} and {article(friend)}", {"hero": hero, "friend": friend}, []),
        "spot": (f" about {article(hero)} [at|and] {spot}", {"hero": hero, "spot": spot}, [hero]),
        "theme": (f" about {theme}", {"theme": theme}, []),
    }[kind]
    # The hero's kind is often said only once; its name carries on. So the check asks for the kind once, others twice.
    once = [hero, friend] if kind == "pair" else [m for m in mentions if m == hero]
    twice = [m for m in mentions if m not in once]

    def check(reply: str) -> bool:
        return has_stem(once)(reply) and stories.is_story(reply, twice, shortest, longest)

    told = stories.tell(rng, length=length, **given)
    while not check(told.text):
        told = stories.tell(rng, length=length, **given)
    memory.story = told
    request = ask(rng, fill(rng, f"{_TELL}[a|a|another] {word}story{about}."))
    if kind in ("free", "hero") and rng.random() < 0.15:
        request = ask(rng, rng.choice(["a {w}story{a}", "{w}story{a}", "Do you know a {w}story{a}?"]).format(w=word, a=fill(rng, about)).strip())
        request = request.replace("a a ", "a ")
    exercise = f"{kind} {about} {length} {request if kind in ('free', 'theme') else ''}"
    return Turn("story", request, told.text, exercise, check)


# --- numbers ----------------------------------------------------------------------------------------------------

_ASK_SUM = "[what is {e}?|{e}|{e} =|how much is {e}?|calculate {e}.|what's {e}?|can you tell me {e}?|what is the result: {e}|{e}=?|solve {e}.|compute {e}]"


def arithmetic(rng: random.Random, memory: Memory) -> Turn:
    kind = rng.choice(["+", "+", "+", "-", "-", "*", "word", "compare", "after", "double"])
    a, b = rng.randint(0, 20), rng.randint(0, 20)
    if kind == "-":
        a, b = max(a, b), min(a, b)
    if kind == "*":
        a, b = rng.randint(0, 10), rng.randint(0, 10)
    if kind in "+-*":
        answer = {"+": a + b, "-": a - b, "*": a * b}[kind]
        sign = {"+": rng.choice(["+", "+", "plus"]), "-": rng.choice(["-", "-", "minus"]), "*": rng.choice(["*", "x", "times"])}[kind]
        gap = "" if rng.random() < 0.15 and not sign.isalpha() else " "
        words = {"+": "+", "-": "-", "*": "*"}[kind]
        expression = f"{a}{gap}{sign}{gap}{b}"
        by_word = {"+": "[add {a} and {b}.|what is the sum of {a} and {b}?]", "-": "[subtract {b} from {a}.|what is {a} less {b}?]",
                   "*": "[multiply {a} by {b}.|what is the product of {a} and {b}?]"}[kind]
        user = ask(rng, by_word, a=a, b=b) if rng.random() < 0.12 else ask(rng, _ASK_SUM, e=expression)
        only = rng.random() < 0.1
        if only:
            user += rng.choice([" Answer with just the number.", " Reply with the number only.", " Only the number, please."])
        reply = str(answer) if only else rng.choice([f"{a} {words} {b} = {answer}.", f"{a} {words} {b} = {answer}."])
        check = is_exactly(reply) if only else has(f"= {answer}")
        return Turn("arithmetic", user, reply, f"{expression} {user}", check, sentence=not only)
    a, b = rng.randint(1, 10), rng.randint(1, 10)
    if kind == "double":
        user = ask(rng, "[what is the double of {a}|what is twice {a}|what is two times {a}]?", a=a)
        return Turn("arithmetic", user, f"2 * {a} = {2 * a}.", user, has(f"= {2 * a}"))
    if kind == "after":
        n = rng.randint(1, 50)
        user = ask(rng, "[which number comes after {n}|what comes after {n}|what is the next number after {n}]?", n=n)
        return Turn("arithmetic", user, f"after {n} comes {n + 1}.".capitalize(), user, has(str(n + 1)))
    if kind == "compare":
        a, b = rng.sample(range(0, 51), 2)
        bigger = rng.random() < 0.5
        user = ask(rng, ("[which is bigger|which number is larger|what is more]" if bigger else "[which is smaller|which number is smaller|what is less]") + ": {a} or {b}?", a=a, b=b)
        return Turn("arithmetic", user, f"{(max if bigger else min)(a, b)} is {'bigger' if bigger else 'smaller'} than {(min if bigger else max)(a, b)}.",
                    user, has(f"{(max if bigger else min)(a, b)} is {'bigger' if bigger else 'smaller'}"))
    name = rng.choice(NAMES)
    he = "she" if name in GIRLS else "he"
    noun = rng.choice(["apple", "ball", "book", "coin", "egg", "nut", "flower", "pear", "shell", "button", "cookie", "stone"])
    if rng.random() < 0.5:
        text = "{N} has {a} {x}. {He} [gets|finds|buys] {b} more. How many {y} does {he} have[ now|]?"
        sign, answer = "+", a + b
    else:
        a, b = max(a, b), min(a, b)
        text = "{N} has {a} {x}. {He} [loses|gives away|eats|sells] {b}. How many {y} does {he} have left?"
        sign, answer = "-", a - b
    user = fill(rng, text, N=name, He=he.capitalize(), he=he, a=a, b=b, x=plural(noun, a), y=plural(noun, 2))
    reply = f"{a} {sign} {b} = {answer}. {name} has {answer} {plural(noun, answer)}."
    return Turn("arithmetic", user, reply, user, has(f"= {answer}", name))


def count(rng: random.Random, memory: Memory) -> Turn:
    first, last = 1, rng.randint(2, 20)
    kind = rng.choice(["to", "to", "from", "down", "words", "words"])
    if kind == "to" and rng.random() < 0.15:
        last = rng.choice([25, 30, 40, 50, 100])
    if kind == "from":
        first = rng.randint(1, 12)
        last = first + rng.randint(2, 9)
    numbers = list(range(first, last + 1))
    if kind == "words":
        shown = [NUMBER_WORDS[n] for n in numbers]
        user = ask(rng, "[count|please count|can you count|count for me] [to|up to|from one to] {n}.", n=NUMBER_WORDS[last])
    else:
        if kind == "down":
            numbers.reverse()
        shown = [str(n) for n in numbers]
        request = {"to": "[count|please count|can you count] [to|up to|from 1 to] {b}.", "from": "count from {a} to {b}.",
                   "down": "count [down from {b}|backwards from {b}|from {b} down to 1|down from {b} to 1]."}[kind]
        user = ask(rng, request, a=first, b=last)
    reply = ", ".join(shown)
    reply = reply[0].upper() + reply[1:] + "."
    return Turn("counting", user, reply, user, is_exactly(reply))


# --- repeating, listing, short forms ----------------------------------------------------------------------------

def sentence(rng: random.Random) -> str:
    """A short sentence of common words, to be copied."""
    kind = rng.random()
    if kind < 0.25:
        return " ".join(rng.choices(OTHER_WORDS + THINGS + ANIMALS + VERBS + ADJECTIVES, k=rng.randint(1, 6)))
    if kind < 0.35:
        return made_up(rng, rng.randint(1, 3))
    if kind < 0.42:
        return " ".join(str(rng.randint(0, 10 ** rng.randint(1, 5))) for _ in range(rng.randint(1, 4)))
    texts = ["the {a} {x} {v} the {y}.", "{N} {v} {a_y} {d}.", "the {x} is {a}.", "my {y} is {a} and {b}.", "{N} and {M} are at {s}.",
             "{d} the {x} {v} {a_y}.", "I like {a} {z}.", "we go to {s} {d}.", "[this is a test|hello world|good morning|it works|all is well|the end]",
             "the {a} {y} is in {s}", "{N} {v} the {a} {y}!", "where is the {y}?", "{o} {p} {q}"]
    n, m = rng.sample(NAMES, 2)
    a, b = rng.sample(ADJECTIVES, 2)
    o, p, q = rng.sample(OTHER_WORDS, 3)
    y = rng.choice(THINGS)
    return fill(rng, rng.choice(texts), x=rng.choice(ANIMALS), y=y, a_y=article(y), z=plural(rng.choice(THINGS), 2), a=a, b=b,
                v=rng.choice(VERBS), d=rng.choice(ADVERBS), N=n, M=m, s=rng.choice(SPOTS), o=o, p=p, q=q)


_REPEAT = ["repeat after me: {t}", "repeat: {t}", "please repeat: {t}", "say: {t}", "repeat the following: {t}", "say exactly: {t}",
           "echo: {t}", "say {t}", "please say {t}", "repeat this: \"{t}\"", "say \"{t}\"", "reply with \"{t}\"", "write: {t}",
           "repeat \"{t}\"", "just say {t}", "say this: {t}", "output exactly: {t}", "can you say {t}", "echo {t}", "answer with {t}",
           "reply with exactly: {t}", "repeat this sentence: {t}", "say '{t}'", "Repeat the word {w}", "reply with the word {w}",
           "say the word {w}", "say only {w}", "reply with just one word: {w}", "respond with only the word {w}.", "answer only with {w}", "respond with: {t}", "reply: {t}",
           "return the word {w}", "reply with exactly the word: {w}", "say {w} and nothing else", "reply with the single word {w}",
           "answer with exactly '{w}'", "write the word {w}", "print {t}", "please respond with '{w}'", "reply with {w}", "say {w}", "say '{w}'",
           "reply only with {w}", "repeat the word {w} {k} times", "say {w} {k} times", "write {w} {k} times"]


def repeat(rng: random.Random, memory: Memory) -> Turn:
    request = rng.choice(_REPEAT)
    text = sentence(rng)
    word = rng.choice(rng.choice([OTHER_WORDS, THINGS, ANIMALS, NAMES, COLOURS, [made_up(rng, 1)]]))
    times = rng.randint(2, 5)
    user = request.format(t=text, w=word, k=rng.choice([str(times), NUMBER_WORDS[times]]))
    user = user[0].upper() + user[1:] if rng.random() < 0.7 else user
    user += "." if "{w}" in request and rng.random() < 0.3 else ""
    reply = text if "{t}" in request else " ".join([word] * times) if "{k}" in request else word
    return Turn("repeating", user, reply, reply, lambda r: r.strip().rstrip(".!").lower() == reply.rstrip(".!").lower(), sentence=False)


_ONE_WORD = "[reply|answer|respond|say something] [with|in|using] [just|only|exactly|] [one|a single] word."


def one_word(rng: random.Random, memory: Memory) -> Turn:
    if rng.random() < 0.4:
        user = ask(rng, _ONE_WORD)
        return Turn("repeating", user, rng.choice(["Hello.", "Yes.", "Okay.", "Hello."]), user, lambda r: bool(re.fullmatch(r"[A-Z][a-z]+\.?", r.strip())))
    word = rng.choice(["yes", "no", "ok", "hello", "done", "ready", "ping", "pong", "hi", "test", "true", "false"])
    user = fill(rng, f"[reply|answer|respond] [with|only with|with only|with just|just] [the word |]['|\"|]{word}" + rng.choice(["", ".", " and nothing else."]))
    for quote in "'\"":
        if quote in user:
            user = user.replace(word, word + quote)
    return Turn("repeating", user, word, user, lambda r: r.strip().rstrip(".").lower() == word, sentence=False)


def listing(rng: random.Random, memory: Memory) -> Turn:
    kind = rng.choice(list(LISTS) + ["colours", "colors", "animals"])
    items = LISTS[kind]
    wanted = rng.randint(2, min(6, len(items)))
    start = rng.random()
    if start < 0.12 and kind in ("days", "months", "seasons", "planets"):
        what = {"days": "the days of the week", "months": "the months of the year", "seasons": "the four seasons", "planets": "the planets"}[kind]
        user = ask(rng, "[list|name|tell me|what are] {w}.", w=what).replace("hat are " + what + ".", "hat are " + what + "?")
        chosen = items
    else:
        shown = rng.choice([str(wanted), NUMBER_WORDS[wanted], NUMBER_WORDS[wanted]])
        user = ask(rng, "[list|name|give me|tell me|can you list|please list|write down|I need] {n} [{k}|{k}|different {k}].", n=shown, k=kind)
        chosen = items[:wanted] if kind in ("days", "months", "numbers") else rng.sample(items, wanted)
        if memory.lists_in_order:
            chosen = sorted(chosen, key=items.index)
    words = [c if c[0].isupper() else c for c in chosen]
    style = rng.random()
    if style < 0.25:
        form = rng.choice(["numbered", "bullets"])
        user += {"numbered": rng.choice([" Number them.", " As a numbered list.", " Use a numbered list."]),
                 "bullets": rng.choice([" Use bullets.", " As a bullet list.", " One on each line."])}[form]
        reply = "\n".join(f"{i + 1}. {w[0].upper() + w[1:]}" if form == "numbered" else f"- {w[0].upper() + w[1:]}" for i, w in enumerate(words))
    else:
        form = "prose"
        reply = join_words(words)
        reply = reply[0].upper() + reply[1:] + "."
    pool = {i.lower() for i in items}

    def check(text: str) -> bool:
        lines = [re.sub(r"^(\d+\.|-) ", "", line) for line in text.strip().split("\n")]
        if form != "prose" and len(lines) != len(chosen):
            return False
        found = [w.strip(" .").lower() for line in lines for w in re.split(r", | and ", line)]
        return len(found) == len(chosen) == len(set(found)) and set(found) <= pool

    return Turn("listing", user, reply, user, check, sentence=form == "prose")


def as_json(rng: random.Random, memory: Memory) -> Turn:
    name, age, thing, colour = rng.choice(NAMES), rng.randint(1, 20), rng.choice(THINGS), rng.choice(COLOURS)
    value, asked = rng.choice([
        ({"name": name, "age": age}, f"{name}, {age} years old"), ({"name": name, "age": age}, f"{name} is {age} years old"),
        ({"thing": thing, "colour": colour}, f"the {thing} is {colour}"), ({"name": name, "thing": thing}, f"{name} has {article(thing)}"),
    ])
    keys = join_words([f'"{k}"' for k in value])
    user = fill(rng, "[answer|reply|write this] [in|as|with] JSON with the keys ") + f"{keys}: {asked}."
    return Turn("JSON", user, json.dumps(value), asked, lambda r: _loads(r) == value, sentence=False)


def _loads(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return None


# --- knowledge and its end --------------------------------------------------------------------------------------

def knowledge(rng: random.Random, memory: Memory) -> Turn:
    kind = rng.choice(["capital", "capital", "capital", "opposite", "colour", "sound", "home", "fact", "fact"])
    if kind == "capital":
        country = rng.choice(list(CAPITALS))
        city = CAPITALS[country]
        short = rng.random() < 0.15
        user = ask(rng, "[what is the capital of {c}|which city is the capital of {c}|what's the capital of {c}|tell me the capital of {c}|do you know the capital of {c}|name the capital of {c}|capital of {c}]?", c=country)
        if short:
            user += rng.choice([" Answer in one word.", " Reply with just the name.", " Only the name, please."])
        return Turn("knowledge", user, city if short else f"The capital of {country} is {city}.", user, has(city), sentence=not short)
    if kind == "opposite":
        word, other = rng.choice(OPPOSITES)
        if rng.random() < 0.5:
            word, other = other, word
        user = ask(rng, "[what is the opposite of {q}{w}{q}|tell me the opposite of {q}{w}{q}|what's the opposite of {q}{w}{q}|which word is the opposite of {q}{w}{q}]?", w=word, q=rng.choice(["", "", '"']))
        return Turn("knowledge", user, f"The opposite of {word} is {other}.", user, has(other))
    if kind == "colour":
        thing = rng.choice(list(COLOUR_OF))
        user = ask(rng, "[what colour is {t}|what color is {t}|which colour does {t} have|what is the colour of {t}]?", t=thing)
        return Turn("knowledge", user, f"{thing[0].upper() + thing[1:]} is {COLOUR_OF[thing]}.", user, has(COLOUR_OF[thing]))
    if kind == "sound":
        animal = rng.choice(list(SOUNDS))
        user = ask(rng, "[what does {x} say|what sound does {x} make|how does {x} sound|which sound does {x} make]?", x=article(animal))
        return Turn("knowledge", user, f"{article(animal).capitalize()} says \"{SOUNDS[animal]}\".", user, has(SOUNDS[animal]))
    if kind == "home":
        animal = rng.choice(list(HOMES))
        user = ask(rng, "[where does {x} live|where do you find {x}|what is the home of {x}]?", x=article(animal))
        return Turn("knowledge", user, f"{article(animal).capitalize()} lives {HOMES[animal]}.", user, has(HOMES[animal]))
    question, answer, wanted = rng.choice(FACTS)
    user = ask(rng, question)
    return Turn("knowledge", user, answer, user, has(wanted))


_UNKNOWN = """who [won|will win] the [election|world cup|race|game|match|Nobel prize|championship] [in {year}|yesterday|last week|next year|]?
what [is|was] the [news|weather|stock price|price of gold|exchange rate|temperature] [today|tomorrow|in {city}|right now|this week]?
explain [quantum physics|general relativity|photosynthesis|machine learning|the theory of evolution|black holes|inflation|philosophy|how {p} work|the French revolution|calculus|the stock market|blockchain] [to me|in simple words|in detail|].
[write|give me|show me] [a Python function|a Java class|some code|a SQL query|a regular expression|a shell script|a C program|a program] [for {p}|that sorts a list|to count {p}|to read a file|for my homework|that adds two numbers].
[translate|say] ["{t}"|this sentence|the word {n}] [into|in] [French|German|Spanish|Chinese|Latin|Italian].
what [is|was] the [name|age|birthday|address|phone number] of the [president|king|author|inventor|owner|director] of [{city}|{n}|{place}|the company]?
who [invented|discovered|wrote|painted|composed|founded|directed] [the {n}|the {n} of {place}|{w}|the book about the {n}|this song|electricity|penicillin|Hamlet|the Mona Lisa]?
when was [the {n}|{w}|the war|the city of {w}|the telephone|the first {n}|the computer] [invented|built|founded|born|discovered]?
what does {w} mean?
what is a {w}?
[what is|what's|how is] the weather [like|today|like today|tomorrow|] in {city}?
[write|compose|make up] a [poem|haiku|song|rhyme|limerick] [about {p}|about the sea|about {n2}|about love|].
[what|which] [colour|size|kind] [is|was] the {n} of {place}?
[give|tell] me [advice|a recipe|instructions|directions|the address] for [{p}|a {n}|{city}|my {n}].
[do|did] you [know|see|meet|hear about] {w} {w2}?
what is [the difference|the relation] between [a {n} and a {m}|{w} and {w2}|{p} and people]?
[who|what] was {w} {w2}?
who is {w}?
tell me about {w}.
where is {w}?
what is the [square root|logarithm|derivative|integral|sine] of {big}?
what is {big} [times|divided by|*|/] {big2}?
how [far|long|old|heavy|tall|deep] is [the moon|the {n}|{place}|{w}|the Eiffel tower|mount Everest|the Amazon]?
how do I [cook|repair|fix|install|sell|build|learn] [a {n}|my {n}|the guitar|{w}|a car|my computer|Linux|a good pizza]?
what happened [in {year}|yesterday|on {w} day|in {city} in {year}]?
what time is it[ in {city}| now|]?
what [day|date] is [it|it today|today]?
why is [the sky blue|the sea salty|{place} so far away|the {n} so expensive|life hard|water wet|{w} famous]?
what is the meaning of [life|{w}|the word {w}]?
what did [I|my friend|{name}] [eat|do|say|buy] [yesterday|last week|this morning]?
which [stock|car|phone|lawyer|doctor|medicine|computer] should I [buy|take|call|choose]?
summarise [this article|the book|the news|the film {w}|chapter {num}] [for me|in one sentence|].
write [a poem|a letter|an essay|an email|a speech] [about {p}|to my boss|about {w}|for {name}|].
how many [people|{p}|stars|cars|languages] are there [in {city}|in the world|on earth|in {place}]?
[can|could] you [book|order|call|send|buy|open|find] [a flight|a pizza|a {n}|a taxi|my doctor|an email|a file] [for me|to {city}|]?
what do you think about [politics|religion|{w}|the war|the president|{p}|{city}]?
how does [a {n}|a car|an engine|the brain|the internet|a nuclear plant|{w}] work?
[is|are] [{w}|the {n}|{p}] [better|bigger|older|more expensive] than [{w2}|the {m}|gold]?""".split("\n")
_DONT_KNOW = "[I am a very small model; I do not know that.|I do not know that. I am only a very small model.|sorry, I do not know that. I am a very small model.]"
_BUT = "[||| I can tell you a story, or add small numbers.| For such questions, serve a bigger model with Penstock.]"


def unknown(rng: random.Random, memory: Memory) -> Turn:
    if rng.random() < 0.12:
        place = rng.choice([*UNKNOWN_PLACES, made_up(rng, 1).capitalize()])
        user = ask(rng, "[what is the capital of {c}|which city is the capital of {c}|tell me the capital of {c}]?", c=place)
        return Turn("unknown", user, fill(rng, _DONT_KNOW), user, has("not know"))
    n, m = rng.sample(THINGS, 2)
    user = ask(rng, rng.choice(_UNKNOWN).strip(), year=rng.randint(1000, 2035), city=rng.choice(list(CAPITALS.values())), n=n, m=m, n2=article(m),
               p=plural(rng.choice(THINGS + ANIMALS), 2), w=made_up(rng, rng.choice([1, 1, 2])).title(), w2=made_up(rng, 1).title(),
               t=sentence(rng), place=rng.choice(list(CAPITALS) + UNKNOWN_PLACES), big=rng.randint(100, 99999), big2=rng.randint(30, 9999),
               name=rng.choice(NAMES), num=rng.randint(2, 30))
    return Turn("unknown", user, fill(rng, _DONT_KNOW + _BUT), user, has("not know"))


# --- following up -----------------------------------------------------------------------------------------------

def follow_up(rng: random.Random, memory: Memory, before: Turn) -> Turn | None:
    """A request that only makes sense after the turn before; none where nothing fits."""
    if before.category == "story" and memory.story:
        told = memory.story
        what = rng.choice(["hero", "friend", "another"])
        if what == "another":
            told = memory.story = stories.tell(rng, length=rng.choice(["short", "middle"]))
            user = ask(rng, "[another one|tell me another one|one more|one more story|and another story][, please|].")
            return Turn("follow-up", user, told.text, f"{before.user} {user}", lambda reply: stories.is_story(reply, [], 5, 24))
        animal, name = (told.hero, told.hero_name) if what == "hero" else (told.friend, told.friend_name)
        user = ask(rng, "[what was the name of the {x}|what was the {x} called|who was the {x}|how was the {x} named] [in the story|]?", x=animal)
        return Turn("follow-up", user, f"The {animal} was named {name}.", f"{user} {name}", has(name))
    if before.category == "knowledge" and before.reply.startswith("The capital"):
        country = rng.choice([c for c in CAPITALS if c not in before.reply])
        user = fill(rng, "[and of|and|what about|and what about|and for] {c}?", c=country)
        return Turn("follow-up", user, f"The capital of {country} is {CAPITALS[country]}.", f"{before.user} {user}", has(CAPITALS[country]))
    if before.category == "knowledge" and before.reply.startswith("The opposite"):
        word, other = rng.choice(OPPOSITES)
        user = fill(rng, "[and of|and|what about|and what about] {w}?", w=word)
        return Turn("follow-up", user, f"The opposite of {word} is {other}.", f"{before.user} {user}", has(other))
    if before.category == "arithmetic" and re.fullmatch(r"\d+ [-+*] \d+ = \d+\.", before.reply):
        a, b = rng.randint(0, 20), rng.randint(0, 20)
        user = fill(rng, "[and|what about|and what is|now] {a} + {b}?", a=a, b=b)
        return Turn("follow-up", user, f"{a} + {b} = {a + b}.", f"{before.user} {user}", has(f"= {a + b}"))
    if before.category in ("counting", "repeating", "JSON", "knowledge", "listing"):
        user = ask(rng, "[again, please|say that again|can you repeat that|repeat that|once more|one more time].")
        return Turn("follow-up", user, before.reply, f"{before.user} {user}", is_exactly(before.reply), before.sentence)
    return None
