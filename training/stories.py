"""Short children's stories from plots: each keeps one hero, one friend, one thing and one place to the end."""

import random
import re
from dataclasses import dataclass

from grammar import article, fill
from words import ANIMALS, BOYS, GIRLS, PLACES, SPOTS, THINGS, TRAITS

OPENINGS = [
    "[once upon a time|once|long ago|one day], {place}, there lived {a_hero} named {N}.",
    "once upon a time there was {a_hero}. {His} name was {N}, and {he} lived {place}.",
    "{N} was {a_hero} who lived {place}.",
    "{place} lived {a_hero} called {N}.",
    "there was once {a_hero} named {N} who lived {place}.",
]
LIKES = [
    "{N} [loved|liked] to [sing in the morning|walk to {spot}|look at the clouds|play all day|listen to old stories|dance in the rain|count the stars].",
    "every [morning|day|evening], {N} went to {spot}[ to play| to look around| to sit in the sun|].",
    "{N} had a good friend, {a_friend} named {F}.",
    "everybody {place} knew {N}, because {he} was so {trait}.",
    "{He} was [very|quite|a little] {trait}, and {he} had a [big|warm|good] heart.",
]
TALK = [
    "\"[do not worry|do not be sad|I am here],\" said {F}. \"[we can do it together|I will help you|friends help each other].\"",
    "\"[thank you|oh, thank you], {F}!\" said {N}. \"[you are a good friend|you are very kind|I am so glad that you are here].\"",
    "\"[what a day|how wonderful|look at that]!\" [said|cried|laughed] {F}.",
    "{N} [smiled|laughed] and gave {F} a [big|warm] hug.",
    "\"[are you all right|can I help you|what is the matter]?\" asked {F}.",
]
ENDINGS = [
    "and from that day on, {N} and {F} were [best|good] friends.",
    "that night, {N} went to bed with a smile.",
    "{N} was very happy, and so was {F}.",
    "and they all lived happily ever after.",
    "and {N} never forgot that day.",
    "then they went home together, tired and happy.",
    "and if you go to {spot}, you can still hear them laugh.",
]
MORALS = {
    "friendship": "a good friend makes every day brighter.",
    "sharing": "things are better when we share them.",
    "courage": "being brave means trying even when you are afraid.",
    "helping": "a little help can do big things.",
    "patience": "slow and steady is a good way to go.",
    "home": "there is no place like home.",
    "work": "many hands make a hard job easy.",
}

# A plot: the theme that it teaches, and its beats in order; a beat is one template. {T} is the thing.
PLOTS = {
    "lost": ("helping", [
        "[one day|one morning|one windy day|one afternoon], {N} [could not find|lost] {his} {T}.",
        "[{He} looked under the bed, but it was not there|{He} looked behind the door and under the table|{He} looked everywhere in the house].",
        "\"[where is my {T}?|oh no, my {T} is gone!]\" cried {N}. {He} was very sad.",
        "{F} the {friend} [heard {him}|came by] and said, \"[I will help you look|let us look for the {T} together|we will find it].\"",
        "[together they went to {spot}|they walked all the way to {spot}|so they went to {spot} and looked and looked].",
        "[there, [behind a big stone|under a bush|in the tall grass|next to a tree], lay the {T}|at last {F} saw something in the grass. It was the {T}].",
        "\"[you found it|here it is|my {T}]!\" {N} [shouted|cried] [happily|with joy|and jumped up and down].",
    ]),
    "stuck": ("helping", [
        "[one day|one sunny day|one cold morning], {N} was [walking|on {his} way] to {spot} with {his} {T}.",
        "[suddenly|on the way] {he} heard a small voice. \"[help|please help me]!\" it [called|cried].",
        "it was {F} the {friend}, who was stuck [in the mud|in a deep hole|between two stones|up in a tree].",
        "{N} [thought for a moment|was not sure what to do at first], [and then {he} had an idea|but {he} wanted to help].",
        "[{He} held out the {T}, and {F} took it|{He} used the {T} to reach {F}|with the {T} and a lot of care, {he} got close to {F}].",
        "{N} pulled and pulled, and [with a loud pop|slowly], {F} was free.",
        "\"[you saved me|that was very kind of you],\" said {F}. \"[how can I thank you?|I will never forget it.]\"",
        "\"[let us play together|come and be my friend],\" said {N}, and {F} [said yes|was glad].",
    ]),
    "share": ("sharing", [
        "[one day|on {his} birthday|one morning], {N} got a [new|beautiful|shiny] {T}.",
        "{He} loved the {T} so much that {he} did not want anybody to touch it.",
        "{F} the {friend} asked, \"[may I see your {T}|can we play with the {T} together|please, may I try it]?\"",
        "\"no,\" said {N}. \"it is mine!\" So {F} went away, and {N} [was alone with the {T}|sat alone].",
        "[but it was not much fun to be alone|soon {N} felt lonely|after a while, {N} began to feel sad].",
        "so {N} [ran|went] to {spot} and found {F}. \"[I am sorry|I was not kind],\" {he} said. \"[let us share the {T}|you can have the first turn with the {T}].\"",
        "[they took turns all day|they played with the {T} until the sun went down], and it was [twice as much|so much more] fun.",
    ]),
    "gift": ("friendship", [
        "it was the birthday of {F} the {friend}, and {N} had no present yet.",
        "[what could {he} give {F}|what would make {F} happy]? {N} thought and thought.",
        "then {he} [had an idea|knew it]: {he} would make a {T}!",
        "{N} went to {spot} to find [all that {he} needed|what {he} needed].",
        "{He} worked all day. [at first the {T} looked funny|the first {T} broke|it was not easy], but {N} did not give up.",
        "in the evening the {T} was ready. {N} put a ribbon on it and went to the party.",
        "{F} opened the box and [smiled|laughed with joy]. \"[a {T}|you made me a {T}]! [it is the best present of all|I love it]!\"",
    ]),
    "afraid": ("courage", [
        "{N} was afraid of [the dark|thunder|deep water|high places].",
        "[one night|one evening|one day], {his} {T} was [left at|still at] {spot}, and it was getting late.",
        "\"[I cannot go there alone|this is too hard for me],\" thought {N}, and {his} knees shook.",
        "{F} the {friend} said, \"[take my hand|I will come with you|take one step, and then one more].\"",
        "so {N} [took a deep breath|closed {his} eyes for a moment] and went, one step after the other.",
        "[it was dark, but the moon was bright|there was a strange noise, but it was only the wind|{his} heart beat fast, but {he} went on].",
        "at {spot} stood the {T}, [safe and dry|just where {he} had left it].",
        "\"I did it!\" said {N}. {He} was [so proud|not afraid any more].",
    ]),
    "home": ("home", [
        "[one day|one afternoon], {N} walked [far, far away|too far] with {his} {T} and came to {spot}.",
        "when {he} turned around, {he} did not know the way home. [it began to rain|the sun was going down|everything looked strange].",
        "{N} sat down and [began to cry|felt very small].",
        "then {F} the {friend} came along. \"[why are you sad|what is the matter]?\" {F} asked.",
        "\"I am lost,\" said {N}. \"all I have is this {T}.\"",
        "\"[I know the way|I can show you the way],\" said {F}. \"[come with me|follow me].\"",
        "they walked [over the hill and along the river|through the trees and over a little bridge], and {N} carried the {T}.",
        "at last {N} saw the light in {his} own window. \"I am home!\" {he} cried, [and hugged {F}|and asked {F} to come in for some soup].",
    ]),
    "storm": ("work", [
        "one night a big storm came. The wind [blew and blew|shook every door].",
        "in the morning, {N} saw that {his} {T} was [broken|in pieces].",
        "\"[oh no|my poor {T}]!\" said {N}. \"[I can never mend it alone.|who can help me?]\"",
        "{F} the {friend} came with [some rope and a bag of nails|a box of tools|a pot of glue].",
        "[one held and one hammered|they worked all morning|they cleaned it and put the pieces together], and [they sang a song|they laughed a lot] while they worked.",
        "in the afternoon the {T} was [as good as new|even better than before].",
        "{N} took the {T} to {spot} and showed it to everyone.",
    ]),
    "lonely": ("friendship", [
        "{N} had a [fine|lovely|wonderful] {T}, but {he} had nobody to play with.",
        "[day after day|every day] {he} sat at {spot} with the {T} and watched the clouds.",
        "[one day|one morning], {F} the {friend} came to {spot}. {F} was new there and did not know anyone.",
        "\"hello,\" said {N} [quietly|with a shy smile]. \"[would you like to see my {T}|do you like my {T}]?\"",
        "\"[oh yes, please|I would love to|what a nice {T}]!\" said {F}.",
        "[they sat down together and talked until evening|they played all afternoon|they showed each other all that they knew].",
        "now {N} was not lonely any more.",
    ]),
    "sound": ("courage", [
        "[one night|late one evening], {N} heard a strange sound. [tap, tap, tap|bump, bump|hoo, hoo]!",
        "it came from {spot}. \"who is there?\" [asked|called] {N}, but nobody answered.",
        "{N} [took a lamp|put on {his} boots] and woke {F} the {friend}. \"[come with me|let us look together],\" {he} said.",
        "they walked [slowly|very quietly], step by step. the sound grew louder.",
        "and what did they find? It was only [an old|a little] {T} that [moved in the wind|knocked against a tree|rolled back and forth]!",
        "{N} and {F} laughed and laughed. \"we were afraid of a {T}!\" said {F}.",
        "they took the {T} home [and made some hot tea|and put it by the door].",
    ]),
    "race": ("patience", [
        "there was a big race to {spot}, and the winner would get a [golden|beautiful] {T}.",
        "{F} the {friend} was [very fast|the fastest of all]. \"I will win the {T},\" said {F}. \"[nobody can catch me|it will be easy].\"",
        "{N} was not so fast, but {he} wanted to try.",
        "one, two, three, go! {F} ran ahead, [and soon stopped to rest|and then sat down under a tree and fell asleep].",
        "{N} went on and on, [step by step|slowly and carefully], and did not stop.",
        "when {F} [looked up|woke up], {N} was already at the end. {N} had won the {T}!",
        "\"[well done|you were better than I was],\" said {F}. And {N} said, \"[come, let us enjoy the {T} together|the {T} is for both of us].\"",
    ]),
    "wish": ("sharing", [
        "[one night|one clear night], {N} saw a falling star. \"I wish for a {T},\" {he} said.",
        "[in the morning|when {he} woke up], there was a {T} in front of the door! it [shone in the sun|was just right].",
        "{N} wanted to run to {spot} and show it to everyone.",
        "but on the way {he} met {F} the {friend}, who looked [very sad|cold and tired].",
        "\"I have never had a {T},\" said {F}.",
        "{N} looked at the {T} for a long time. then {he} said, \"[take it|it is for you]. [I have enough|you need it more than I do].\"",
        "that night another star fell, and {N} heard a soft voice: \"[you have a good heart|well done], {N}.\"",
        "and in the morning there were two of them, [one for each|one for {N} and one for {F}].",
    ]),
    "build": ("work", [
        "{N} wanted to build [the biggest|the best] {T} that anyone had ever seen.",
        "{He} [took wood and paper and string|drew a plan] and began. but it was too much work for one.",
        "{F} the {friend} came by and asked, \"what are you doing?\"",
        "\"I am building a {T},\" said {N}. \"but [it falls down every time|I am so tired].\"",
        "\"[let me hold this side|we can build it together],\" said {F}.",
        "they worked [for three days|until the evening]. [{F} counted the pieces and {N} put them together|one was strong and the other was clever].",
        "then they carried the {T} to {spot}, and [everybody clapped|all the others came to look].",
        "\"[we did it|look at our {T}]!\" said {N} and {F} [together|at the same time].",
    ]),
}
# Plots in which the hero meets the friend for the first time.
STRANGERS = {"stuck", "home", "lonely", "wish"}
THEMES = {
    "friendship": ["lonely", "gift"], "sharing": ["share", "wish"], "courage": ["afraid", "sound"],
    "being brave": ["afraid", "sound"], "helping others": ["lost", "stuck"], "patience": ["race"],
    "coming home": ["home"], "a storm": ["storm"], "a birthday": ["gift"], "a race": ["race"], "a wish": ["wish"],
    "working together": ["build", "storm"], "the night": ["sound"], "a falling star": ["wish"],
    "getting lost": ["home"], "a new friend": ["lonely"],
}


@dataclass(frozen=True)
class Story:
    """A story and what a check needs to know about it."""

    text: str
    hero: str
    hero_name: str
    friend: str
    friend_name: str
    thing: str


def _names_for(kind: str) -> list[str]:
    if kind in ("girl", "princess", "queen", "fairy"):
        return GIRLS
    return BOYS if kind in ("boy", "prince", "king", "wizard") else GIRLS + BOYS


def is_child(hero: str) -> bool:
    return hero in ("girl", "boy")


def tell(rng: random.Random, *, hero: str | None = None, hero_name: str | None = None, friend: str | None = None,
         thing: str | None = None, trait: str | None = None, spot: str | None = None, theme: str | None = None,
         length: str = "middle") -> Story:
    """A story; what is not given is drawn. Length: short (5 to 7 sentences), middle, or long (two plots)."""
    if hero is None:
        hero = rng.choice(["girl", "boy"]) if hero_name or rng.random() < 0.4 else rng.choice(ANIMALS)
    if hero_name is None:
        hero_name = rng.choice(_names_for(hero))
    elif is_child(hero):
        hero = "girl" if hero_name in GIRLS else "boy"
    friend = friend or rng.choice([a for a in ANIMALS if a != hero])
    friend_name = rng.choice([n for n in _names_for(friend) if n != hero_name])
    he, him, his = ("she", "her", "her") if hero_name in GIRLS else ("he", "him", "his")
    thing = thing or rng.choice([t for t in THINGS if t not in (hero, friend)])
    trait = trait or rng.choice(TRAITS)
    variables = dict(N=hero_name, F=friend_name, friend=friend, T=thing, he=he, him=him, his=his, He=he.capitalize(),
                     His=his.capitalize(), trait=trait, place=rng.choice(PLACES), spot=spot or rng.choice(SPOTS),
                     a_hero=article(rng.choice(["", "little " * (trait not in ("tiny", "old"))]) + f"{trait} {hero}"), a_friend=article(friend))
    plot = rng.choice(THEMES[theme]) if theme else rng.choice(list(PLOTS))
    moral, beats = PLOTS[plot]
    opening = rng.choice(OPENINGS)
    if length == "short":
        keep = {0, len(beats) - 1, *rng.sample(range(1, len(beats) - 1), rng.choice([2, 3]))}
        keep |= {i for i, beat in enumerate(beats) if "{F} the {friend}" in beat}
        parts = [[opening], [beats[i] for i in sorted(keep)], [rng.choice(ENDINGS)]]
        return _story(rng, [" ".join(part) for part in parts], " ", hero, friend, variables)
    likes = rng.sample([x for x in LIKES if plot not in STRANGERS or "{F}" not in x], 2 if length == "long" else 1)
    paragraphs = [[opening, *likes], list(beats)]
    if length == "long":
        other_moral, other = PLOTS[rng.choice([p for p in PLOTS if p != plot])]
        paragraphs[1].insert(rng.randrange(3, len(beats)), rng.choice(TALK))
        paragraphs += [[rng.choice(TALK)], ["[the next day|a week later|some days later|when spring came], something else happened.",
                                           *_again(other)]]
        moral = rng.choice([moral, other_moral])
    closing = [rng.choice(ENDINGS)]
    if rng.random() < 0.5:
        closing.append("{N} had learned [something|one thing]: " + MORALS[moral])
    elif rng.random() < 0.3:
        closing.append("[the end.|and that is the end of the story.]")
    paragraphs.append(closing)
    return _story(rng, [" ".join(p) for p in paragraphs], "\n\n", hero, friend, variables)


def _again(beats: list[str]) -> list[str]:
    """A second plot with the same friend: who need not be introduced again."""
    return [beat.replace("{F} the {friend}", "{F}") for beat in beats]


def _story(rng: random.Random, parts: list[str], gap: str, hero: str, friend: str, variables: dict) -> Story:
    text = gap.join(fill(rng, part, **variables) for part in parts)
    return Story(text, hero, variables["N"], friend, variables["F"], variables["T"])


_NAME = re.compile(r"\b(" + "|".join(GIRLS + BOYS) + r")\b")


def is_story(text: str, mentions: list[str], shortest: int, longest: int) -> bool:
    """Whether a text is a well-formed story: its length in sentences, at most two names, every topic word at least twice."""
    sentences = [s for s in re.split(r"(?<=[.!?])\"?\s+", text) if s]
    if not shortest <= len(sentences) <= longest or len(set(sentences)) < 0.8 * len(sentences):
        return False
    names = _NAME.findall(text)
    if len(set(names)) > 2 or len(names) < 3:
        return False
    words = text.lower()
    return all(len(re.findall(r"\b" + re.escape(m.lower()), words)) >= 2 for m in mentions)
