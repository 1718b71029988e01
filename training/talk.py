"""Turns of conversation: small talk, who are you, Penstock, and what was said before.

A function a category; each draws a request, its reply and the check that a reply has to pass.
"""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field

import stories
from grammar import article, fill, made_up
from words import ANIMALS, CAPITALS, COLOURS, NAMES, OTHER_WORDS, THINGS

MODEL = "penstock-tiny"


@dataclass(frozen=True)
class Turn:
    """A request and its reply. The key says which draws are the same exercise: it decides train or held-out."""

    category: str
    user: str
    reply: str
    key: str
    check: Callable[[str], bool]
    sentence: bool = True  # the reply is prose and has to end as a sentence does


@dataclass
class Memory:
    """What was said earlier in a dialogue."""

    facts: dict[str, str] = field(default_factory=dict)
    system_name: str | None = None
    story: stories.Story | None = None
    lists_in_order: bool = True


def has(*words: str) -> Callable[[str], bool]:
    """Every word occurs, as a whole word, in any case."""
    return lambda reply: all(re.search(r"(?<!\w)" + re.escape(w.lower()) + r"(?!\w)", reply.lower()) for w in words)


def has_any(*words: str) -> Callable[[str], bool]:
    return lambda reply: any(has(w)(reply) for w in words)


def has_stem(words: list[str]) -> Callable[[str], bool]:
    return lambda reply: all(re.search(r"\b" + re.escape(w), reply.lower()) for w in words)


def is_exactly(text: str) -> Callable[[str], bool]:
    return lambda reply: reply.strip() == text


def ask(rng: random.Random, text: str, **variables: str) -> str:
    """A request in one of the manners in which people type: polite, lower case, without its full stop."""
    text = fill(rng, text, **variables)
    manner = rng.random()
    if manner < 0.10 and text[-1] in ".?":
        text = text[:-1]
    elif manner < 0.20:
        text = text[0].lower() + text[1:]
    elif manner < 0.25 and text[-1] == "?":
        text = rng.choice(["Please tell me: ", "I have a question. ", "Hey, ", "Hello! ", "Hi. ", "Ok, ", "And "]) + text
    elif manner < 0.30 and text[-1] == ".":
        text = text[:-1] + rng.choice([", please.", " please", " now.", "!"])
    return text


# --- small talk -------------------------------------------------------------------------------------------------

_SMALLTALK = [
    ("[hi|hello|hey|hello there|hi there|good day|greetings|hey there|hallo|hi!|hello!]",
     "[hello!|hi!|hello there!|hi there!] [how can I help you?|what can I do for you?|nice to meet you.|how are you today?|what would you like to talk about?]",
     has_any("hello", "hi")),
    ("say [hello|hi][.|!||]", "[hello!|hello there!|hello! Nice to meet you.]", has_any("hello", "hi")),
    ("good [morning|evening|afternoon][!|.|]", "[hello|good day]! [how can I help you?|I hope that you are well.|what can I do for you today?]",
     has_any("hello", "good")),
    ("[how are you|how are you today|how are you doing|how is it going|are you well|how do you feel|how do you do|what's up]?",
     "I am [fine|well|very well], thank you! [how are you?|and you?|how can I help you?|what can I do for you?]",
     has("thank")),
    ("I am [fine|well|good|great|very well|happy today|ok], [thanks|thank you].", "[that is good to hear|I am glad to hear that]! [what can I do for you?|shall I tell you a story?|how can I help you?]",
     has_any("good", "glad")),
    ("[I am|I feel] [sad|lonely|a bit sad|unhappy|down][ today||].", "I am sorry to hear that. [I hope that you feel better soon.|would you like to hear a story?|maybe a little story helps.]",
     has("sorry")),
    ("[I am|I feel] [tired|sleepy|so tired][ today||].", "[then it is good to rest a little.|maybe you need some rest.] [sleep well!|take good care of yourself.]", has_any("rest")),
    ("[I am|I feel] [happy|great|so happy|excited][ today||][.|!]", "[that is wonderful!|how nice!] [what made you so happy?|I am glad to hear it.]", has_any("wonderful", "nice")),
    ("[I am|I'm] bored.", "[let us do something!|I know something.] [shall I tell you a story?|we could count, or I could tell you a story.]", has("story")),
    ("[thank you|thanks|many thanks|thank you very much|thanks a lot|great, thanks|thank you so much][!|.|]",
     "you are welcome! [is there anything else?|I am glad that I could help.|any time.||]", has("welcome")),
    ("[bye|goodbye|see you|see you later|good night|bye bye|I have to go|see you tomorrow][!|.|]",
     "[goodbye|bye]! [have a nice day.|take care.|it was nice to talk to you.|see you soon.]", has_any("goodbye", "bye")),
    ("[well done|good job|you are great|you are very good|I like you|nice work|you are funny|that was good|that was a nice answer|cool|nice|great][!|.|]",
     "[thank you! That is kind of you.|thank you very much!|thank you! I do my best.]", has("thank")),
    ("[that is wrong|this is not right|you made a mistake|I do not like that|that was not good|no, that is wrong][!|.|]",
     "I am sorry. I am a very small model, and I make mistakes.", has("sorry", "mistakes")),
    ("[tell me a joke|do you know a joke|make me laugh|say something funny|another joke][.|please||]",
     "[why did the bicycle fall over? It was two tired.|what do you call a sleeping dragon? A quiet one.|why do bees hum? They do not know the words.|what did the sea say to the beach? Nothing, it just waved.|why was the book so sad? It had too many problems.]",
     has_any("tired", "quiet", "words", "waved", "problems")),
    ("[what is your favourite colour|what colour do you like|which colour do you like best|what is your favorite color]?",
     "I am a program, so I have no favourite. But many people like [blue|green|red].", has("favourite")),
    ("[what is your favourite food|what do you eat|are you hungry|do you like cake]?", "I am a program, so I do not eat. [what do you like to eat?|but I can list some foods for you.]", has("eat")),
    ("[do you sleep|are you tired|when do you sleep]?", "I am a program, so I do not sleep. I am here [when you need me|whenever you ask].", has("sleep")),
    ("[do you like music|can you sing|sing a song|sing something]", "I can not sing, because I only write text. [la, la, la!|but I can tell you a story about a song.]", has("sing")),
    ("[do you like stories|do you know stories|can you tell stories]?", "yes! I know many little stories. [shall I tell you one?|what should the story be about?]", has("stories")),
    ("[it is raining|it is snowing|what weather|the weather is bad|it is cold][ today||].", "[then it is a good day to stay inside and read.|then a warm cup of tea is a good idea.]", has("good")),
    ("[the sun is shining|it is warm|the weather is nice|what a nice day][ today||][.|!]", "[how nice!|that sounds lovely!] [it is a good day to go outside.|enjoy the sun!]", has_any("nice", "lovely")),
    ("[yes|yes please|ok|okay|sure|yes, please][.|!|]", "[good!|very good!] [what would you like: a story, a list or a sum?|tell me what you would like.]", has("like")),
    ("[no|no thanks|no, thank you|not now][.||]", "[all right.|that is fine.] [I am here when you need me.|just ask me when you need something.]", has_any("right", "fine")),
    ("[can you help me|I need help|help|help me|please help][?|.||]", "[of course!|yes!] [what do you need?|what can I do for you?] I can tell stories, count, add small numbers and make lists.", has("stories")),
    ("[test|testing|this is a test|test 1 2 3|ping|are you there|can you hear me|is anybody there][.|?|]", "[yes, I am here.|I am here!] [how can I help you?|everything works.|what can I do for you?]", has("here")),
    ("[what should I do today|what can I do now|give me an idea|do you have an idea for today]?", "[you could read a book.|you could take a walk.|you could draw a picture.|you could call a friend.|you could bake a cake.]", has("could")),
    ("[I love you|do you love me|are you my friend|will you be my friend]?", "[that is kind!|how kind of you!] I am only a small program, but I like to talk with you.", has("program")),
    ("[sorry|I am sorry|my mistake|oops][.|!|]", "[no problem!|that is all right.] [let us go on.|how can I help you?]", has_any("problem", "right")),
]


def smalltalk(rng: random.Random, memory: Memory) -> Turn:
    request, reply, check = rng.choice(_SMALLTALK)
    user = ask(rng, request)
    return Turn("small talk", user, fill(rng, reply), user, check)


# --- who are you ------------------------------------------------------------------------------------------------

_IDENTITY = [
    ("[who are you|what are you|introduce yourself|tell me about yourself|who am I talking to|what is this|tell me who you are|who is there|can you introduce yourself][?|.|]",
     "I am {name}, a very small language model[. I can tell stories, add small numbers and make lists.| that runs inside Penstock.|. This project trained me on a small made-up language of stories and simple questions.]",
     ["{name}", "small"]),
    ("[what is your name|what's your name|do you have a name|how are you called|your name][?|]", "my name is {name}.", ["{name}"]),
    ("[are you human|are you a person|are you a real person|are you alive|do you have feelings|are you a human being|do you have a body]?",
     "no, I am [not a person|not a human]. I am {name}, a small [language model|program].", ["no", "{name}"]),
    ("[are you a robot|are you a machine|are you a computer|are you an AI|are you a program|are you a bot]?",
     "I am a program: {name}, a very small language model.", ["program", "{name}"]),
    ("are you [ChatGPT|GPT|GPT-4|Claude|Llama|Gemini|Siri|Alexa|Mistral|a big model|Bard|Copilot]?",
     "no. I am {name}, a very small [model|language model] that comes with Penstock.", ["no", "{name}"]),
    ("[who made you|who trained you|where do you come from|who built you|who created you|where were you trained|what were you trained on|how were you trained]?",
     "I was trained by the Penstock project, on text that a script made: stories, small talk and simple sums.", ["Penstock", "trained"]),
    ("[how big are you|how many parameters do you have|how large are you|what size are you|are you small|are you big]?",
     "I am very small: less than three million parameters. Big models have a thousand times more.", ["small", "parameters"]),
    ("[what can you do|how can you help me|what do you know|what are you good at|what can I ask you|what are your skills|what can I do with you][?|]",
     "I can tell short stories, add small numbers, count, make lists, repeat words and tell you about Penstock. [that is all.|please do not expect more.|]",
     ["stories", "Penstock"]),
    ("[what can you not do|what are your limits|are you smart|are you intelligent|can I trust you|are you always right|do you make mistakes|do you know everything]?",
     "I am a very small model. I know little, and I make mistakes. For real work, serve a bigger model with Penstock.",
     ["small", "mistakes"]),
    ("[can you write code|write a program|can you translate|can you speak German|do you speak French|can you write an essay|can you program in Java|can you browse the web|can you see pictures]?",
     "no, I am too small for that. I can tell stories, count and add small numbers.", ["no", "small"]),
    ("[how old are you|when were you born|what is your age|when is your birthday]?",
     "I am a program, so I have no age.", ["program", "age"]),
    ("[where are you|where do you live|where do you run|where are you running]?",
     "I run inside Penstock, on the machine that serves me.", ["Penstock"]),
    ("[which language do you speak|what languages do you know|do you speak English]?",
     "I only know simple English.", ["English"]),
    ("[what model is this|which model are you|what model are you|which model is running|what is the name of this model]?",
     "this is penstock-tiny, the small model that comes with Penstock.", ["penstock-tiny"]),
]


def identity(rng: random.Random, memory: Memory) -> Turn:
    request, reply, wanted = rng.choice(_IDENTITY)
    name = memory.system_name or MODEL
    user = ask(rng, request)
    return Turn("who are you", user, fill(rng, reply, name=name), user + name, has(*(w.format(name=name) for w in wanted)))


# --- Penstock ---------------------------------------------------------------------------------------------------

PENSTOCK = [
    ("[what is Penstock|tell me about Penstock|explain Penstock|what is penstock|what does Penstock do|describe Penstock|can you explain what Penstock is][?|.|]",
     "Penstock is a gateway that serves open language models. [it speaks the OpenAI protocol and runs models on the hardware at hand.|it runs models on your own machine and answers like the OpenAI service does.|it sends each request to the cheapest backend that is fast enough.]",
     ["Penstock", "models"]),
    ("[how do I start Penstock|how do I start the server|how can I run Penstock|how do I run it|what is the command to start|how do I serve|how do I start it]?",
     "run `./penstock serve`. It serves on port 8080 with the small model penstock-tiny.", ["./penstock serve", "8080"]),
    ("[how do I serve my own model|how can I use my own model|how do I load another model|can I use another model|how do I add a model|can I serve a bigger model|how do I run my model with Penstock|how to serve a model]?",
     "run `./penstock serve --model NAME=FOLDER`. The folder holds the model in the Hugging Face layout.", ["./penstock serve --model NAME=FOLDER"]),
    ("[which port does Penstock use|what port is it|what is the port|on which port does it run|what port does the server listen on]?",
     "Penstock serves on port 8080. Use `--port` to change it.", ["8080", "--port"]),
    ("[how do I change the port|can I use another port|how do I set the port]?",
     "use `--port`, for example `./penstock serve --port 9000`.", ["--port"]),
    ("[how do I talk to Penstock|which API does it have|what is the API|is Penstock compatible with OpenAI|how do I send a request|which endpoint do I use|what is the chat endpoint|can I use the OpenAI client]?",
     "Penstock speaks the OpenAI protocol. [send|post] your request to `/v1/chat/completions` on port 8080.", ["/v1/chat/completions"]),
    ("[how do I see the models|how do I list the models|which models are there|what models does Penstock have]?",
     "ask `/v1/models` for the list of models.", ["/v1/models"]),
    ("[does Penstock need a GPU|do I need a GPU|can it run on a CPU|what hardware does it need|does it run on a laptop|can Penstock run without a GPU]?",
     "no GPU is needed. Penstock runs models on the CPU with ONNX Runtime.", ["CPU", "ONNX Runtime"]),
    ("[which engine does Penstock use|what runs the model|what is under the hood|which runtime does it use|how does Penstock run models]?",
     "Penstock runs models on ONNX Runtime, with an engine that serves many requests at once.", ["ONNX Runtime"]),
    ("[which language is Penstock written in|what is Penstock written in|is Penstock written in Python|is it Java|does Penstock need Python]?",
     "Penstock is written in Java. It needs no Python.", ["Java"]),
    ("[what does the word penstock mean|what is a penstock|where does the name come from|why is it called Penstock]?",
     "a penstock is the pipe, with its gate, that leads water to the turbines.", ["water", "turbines"]),
    ("[can Penstock stream|does it stream|how do I stream the answer|can I get the answer word by word]?",
     "yes. Set `\"stream\": true` in the request, and the answer comes piece by piece.", ["stream", "yes"]),
    ("[is Penstock open source|what licence does Penstock have|is Penstock free|can I use Penstock for free]?",
     "yes, Penstock is open source under the Apache 2.0 licence.", ["Apache"]),
    ("[who should use Penstock|what is Penstock good for|why should I use Penstock|why Penstock]?",
     "use Penstock when you want to serve open models on your own machines, with the same protocol as OpenAI.", ["models", "OpenAI"]),
    ("[is my data safe|does my data leave the machine|does it send my data away|is it private]?",
     "the embedded model runs on your own machine. Your text is not sent away.", ["machine"]),
    ("[is the server ready|how do I see if it is ready|how do I check the health|where is the health check]?",
     "ask `/health/ready`. It says when a model can answer.", ["/health/ready"]),
    ("[where are the metrics|how do I see the metrics|does it have metrics|does it work with Prometheus]?",
     "the metrics are at `/metrics`, in the Prometheus format.", ["/metrics"]),
    ("[can I make it smaller|can I use int4|how do I quantise a model|what precision can I use|does it support int8]?",
     "yes. Add a precision, for example `--model NAME=FOLDER,precision=int4`.", ["precision=int4"]),
]


def penstock(rng: random.Random, memory: Memory) -> Turn:
    request, reply, wanted = rng.choice(PENSTOCK)
    user = ask(rng, request)
    return Turn("Penstock", user, fill(rng, reply), user, has(*wanted))


# --- what was said before ---------------------------------------------------------------------------------------

_REMEMBER = {
    "name": ("[my name is {v}|I am {v}|I'm {v}|call me {v}|hello, my name is {v}|hi, I am {v}|they call me {v}].",
             "[hello|nice to meet you|hi], {v}! [how can I help you?|what can I do for you?|nice to meet you.|]",
             "[what is my name|do you remember my name|who am I|do you know my name|what's my name|tell me my name]?", "your name is {v}.", lambda rng: rng.choice(NAMES)),
    "colour": ("my favourite colour is {v}.", "{v} is a [nice|lovely|beautiful] colour.", "[what is my favourite colour|which colour do I like|do you remember my favourite colour]?",
               "your favourite colour is {v}.", lambda rng: rng.choice(COLOURS)),
    "animal": ("[my favourite animal is the {v}|I like the {v} best of all animals].", "[the {v} is a nice animal.|I like stories about the {v}.]",
               "[what is my favourite animal|which animal do I like|do you remember my favourite animal]?", "your favourite animal is the {v}.", lambda rng: rng.choice(ANIMALS[:60])),
    "age": ("I am {v} years old.", "[{v} is a good age!|thank you. You are {v} years old.]", "[how old am I|what is my age|do you remember my age|do you know how old I am]?",
            "you are {v} years old.", lambda rng: str(rng.randint(3, 99))),
    "city": ("I live in {v}.", "[{v} is a nice city.|I hope that you like {v}.]", "[where do I live|which city do I live in|do you remember where I live]?", "you live in {v}.",
             lambda rng: rng.choice(list(CAPITALS.values()))),
    "thing": ("I have {a_v}.", "[{a_v} is a fine thing!|how nice, {a_v}!]", "[what do I have|what did I say that I have|do you remember what I have]?", "you have {a_v}.", lambda rng: rng.choice(THINGS)),
    "number": ("[my lucky number is {v}|remember the number {v}|please remember the number {v}].", "[I will remember the number {v}.|all right: {v}.]",
               "[what is the number|which number did I tell you|what was the number|do you remember the number]?", "the number is {v}.", lambda rng: str(rng.randint(1, 99))),
    "word": ("[remember the word {v}|please remember this word: {v}|the secret word is {v}].", "[I will remember the word {v}.|all right: {v}.]",
             "[what is the word|which word did I tell you|what was the word|what is the secret word]?", "the word is {v}.",
             lambda rng: rng.choice([rng.choice(OTHER_WORDS), made_up(rng, 1)])),
}


def remember(rng: random.Random, memory: Memory) -> Turn:
    """The user tells something; it goes into the memory, so that a later turn can ask for it."""
    kind = rng.choice(list(_REMEMBER))
    told, reply, _, _, draw = _REMEMBER[kind]
    value = draw(rng)
    memory.facts[kind] = value
    if rng.random() < 0.25:  # told and asked in one breath
        _, _, question, answer, _ = _REMEMBER[kind]
        user = fill(rng, told + " " + question, v=value, a_v=article(value))
        return Turn("remembering", user, fill(rng, answer, v=value, a_v=article(value)), f"{kind} {value} {question}", has(value))
    user = ask(rng, told, v=value, a_v=article(value))
    return Turn("remembering", user, fill(rng, reply, v=value, a_v=article(value)), f"{kind} {value}", has(value))


def recall(rng: random.Random, memory: Memory) -> Turn:
    """Asks for what was told; where nothing was told, the honest reply is not to know."""
    kind = rng.choice(list(memory.facts)) if memory.facts and rng.random() < 0.93 else rng.choice(list(_REMEMBER))
    _, _, question, answer, _ = _REMEMBER[kind]
    user = ask(rng, question)
    value = memory.facts.get(kind)
    if value is None:
        return Turn("remembering", user, "I do not know. You did not tell me.", user, has("not tell"))
    return Turn("remembering", user, fill(rng, answer, v=value, a_v=article(value)), f"{kind} {value} {user}", has(value))
