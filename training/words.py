"""Word lists that the generator draws from. Plain data, one list per kind of word."""

GIRLS = """Anna Lily Mia Emma Zoe Nora Ella Ruby Clara Ida Rosa Lucy Eva Maya Sara Tina Olga Nina Jane Alice
Freya Hana Leila Priya Sofia Greta Molly Daisy Ines Yuki Amara Petra Wanda Carla Julia Mary Kate Helen Lena""".split()
BOYS = """Tom Ben Max Leo Sam Finn Noah Oscar Theo Hugo Jack Paul Emil Tim Adam Luca Omar Ivan Kofi Ravi
Peter Felix Jonas Erik Milo Otto Henry James Karl David Simon Robin Anton Bruno Diego Kenji Pablo Victor Bob John""".split()
NAMES = GIRLS + BOYS

# Heroes of stories that are not children; each can talk and walk in a story.
ANIMALS = """cat dog fox rabbit bear mouse frog duck owl hedgehog squirrel turtle pony goat lamb pig hen beaver
otter badger deer penguin elephant lion tiger monkey panda koala kitten puppy donkey swan crow sparrow robin snail
bee ant ladybird butterfly dragon whale dolphin seal crab fish horse cow sheep wolf mole parrot camel giraffe zebra
unicorn robot snowman giant fairy pirate knight princess prince king queen wizard ghost astronaut baker farmer sailor
fisherman gardener""".split()

# Things that a story can be about: small enough to be found, lost, shared or mended.
THINGS = """ball kite boat drum key lamp bell book hat scarf bicycle balloon basket box button cake candle clock coin
cup doll feather flag flower flute guitar hammer honey jar leaf letter map mirror necklace painting pear pebble pencil
pie pillow pumpkin puzzle ring rope seed shell shoe spoon stone sandwich suitcase teapot tent toy train trumpet
umbrella violin wagon watch whistle apple acorn blanket bottle bridge broom camera cart carrot castle chair cookie
crown door egg fan fence ladder lantern nest plum pot rocket sled snowball star swing sword telescope table window
wheel raincoat shovel bucket brush ticket treasure mitten sock strawberry potato tomato lemon orange banana cherry
nut mushroom machine computer phone radio pipe tower mill waterwheel cloud rainbow""".split()

PLACES = [
    "in a small village", "near a deep forest", "beside a quiet lake", "by the sea", "on a green hill",
    "in a big city", "on a little farm", "in a house with a red roof", "at the edge of a wood", "on a tiny island",
    "next to an old mill", "in a warm valley", "in a tall tower", "near a wide river", "under an old oak tree",
    "at the foot of a mountain", "in a garden full of roses", "behind a stone wall", "in a snowy land",
    "beside a railway line", "in a blue house", "in a busy harbour town", "in a cosy little hut", "close to a waterfall",
]

SPOTS = [
    "the forest", "the garden", "the beach", "the river", "the old mill", "the market", "the park", "the barn",
    "the hill", "the meadow", "the lake", "the cave", "the harbour", "the station", "the school", "the library",
    "the orchard", "the bridge", "the pond", "the village square", "the attic", "the field", "the mountain", "the well",
]

TRAITS = ["brave", "kind", "curious", "shy", "clever", "cheerful", "sleepy", "hungry", "gentle", "funny", "quiet",
          "lonely", "friendly", "careful", "tiny", "patient", "proud", "young", "old", "happy", "lazy", "busy"]
COLOURS = ["red", "blue", "green", "yellow", "orange", "purple", "pink", "brown", "black", "white", "grey", "gold"]

CAPITALS = {
    "Germany": "Berlin", "France": "Paris", "Italy": "Rome", "Spain": "Madrid", "Portugal": "Lisbon",
    "England": "London", "the United Kingdom": "London", "Ireland": "Dublin", "Norway": "Oslo", "Sweden": "Stockholm",
    "Denmark": "Copenhagen", "Finland": "Helsinki", "Poland": "Warsaw", "Austria": "Vienna", "Greece": "Athens",
    "Hungary": "Budapest", "Russia": "Moscow", "Ukraine": "Kyiv", "Turkey": "Ankara", "Egypt": "Cairo",
    "Kenya": "Nairobi", "Japan": "Tokyo", "China": "Beijing", "India": "New Delhi", "Canada": "Ottawa",
    "Mexico": "Mexico City", "Brazil": "Brasília", "Argentina": "Buenos Aires", "Chile": "Santiago", "Peru": "Lima",
    "Australia": "Canberra", "the United States": "Washington", "the Netherlands": "Amsterdam", "Belgium": "Brussels",
    "Switzerland": "Bern", "the Czech Republic": "Prague",
}
# Places whose capital the model is taught not to know.
UNKNOWN_PLACES = """Atlantis Bhutan Tuvalu Narnia Chad Laos Togo Fiji Malawi Palau Benin Oman Gabon Kiribati Nauru Samoa
Mali Burundi Lesotho Eritrea Comoros Suriname Guyana Belize Brunei Vanuatu Tonga Nepal Mongolia Qatar""".split()

LISTS = {
    "colours": COLOURS[:11], "colors": COLOURS[:11],
    "animals": ["cat", "dog", "horse", "fox", "rabbit", "bear", "lion", "duck", "cow", "sheep", "mouse", "frog"],
    "fruits": ["apple", "banana", "pear", "cherry", "orange", "plum", "lemon", "grape", "strawberry", "peach"],
    "vegetables": ["carrot", "potato", "tomato", "onion", "bean", "pea", "cabbage", "pumpkin", "spinach"],
    "birds": ["owl", "robin", "sparrow", "swan", "crow", "duck", "eagle", "parrot", "penguin"],
    "cities": ["Berlin", "Paris", "London", "Rome", "Madrid", "Oslo", "Tokyo", "Vienna", "Lisbon", "Prague"],
    "countries": ["Germany", "France", "Italy", "Spain", "Norway", "Japan", "Canada", "Brazil", "India", "Egypt"],
    "names": ["Anna", "Ben", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas"],
    "toys": ["ball", "doll", "kite", "drum", "puzzle", "train", "teddy bear", "sled"],
    "drinks": ["water", "milk", "tea", "coffee", "juice", "lemonade", "cocoa"],
    "foods": ["bread", "cheese", "soup", "rice", "pasta", "cake", "salad", "pizza"],
    "tools": ["hammer", "saw", "shovel", "rake", "broom", "brush", "ladder"],
    "flowers": ["rose", "tulip", "daisy", "lily", "violet", "sunflower", "poppy"],
    "trees": ["oak", "pine", "birch", "maple", "willow", "apple tree", "beech"],
    "instruments": ["piano", "guitar", "violin", "flute", "drum", "trumpet", "harp"],
    "vehicles": ["car", "train", "bus", "boat", "bicycle", "plane", "truck"],
    "clothes": ["shirt", "hat", "scarf", "sock", "coat", "shoe", "dress"],
    "shapes": ["circle", "square", "triangle", "rectangle", "star", "oval"],
    "rivers": ["Rhine", "Danube", "Nile", "Thames", "Seine", "Amazon"],
    "days": ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"],
    "months": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
               "November", "December"],
    "seasons": ["spring", "summer", "autumn", "winter"],
    "planets": ["Mercury", "Venus", "Earth", "Mars", "Jupiter", "Saturn", "Uranus", "Neptune"],
    "numbers": ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
}
NUMBER_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
                "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen", "twenty"]

OPPOSITES = [("hot", "cold"), ("big", "small"), ("day", "night"), ("up", "down"), ("fast", "slow"), ("old", "young"),
             ("happy", "sad"), ("light", "dark"), ("open", "closed"), ("full", "empty"), ("hard", "soft"),
             ("wet", "dry"), ("loud", "quiet"), ("left", "right"), ("first", "last"), ("high", "low"), ("rich", "poor"),
             ("early", "late"), ("near", "far"), ("clean", "dirty"), ("good", "bad"), ("long", "short"),
             ("black", "white"), ("yes", "no"), ("in", "out"), ("strong", "weak"), ("true", "false"), ("warm", "cool")]
COLOUR_OF = {"the sky": "blue", "grass": "green", "snow": "white", "a banana": "yellow", "a carrot": "orange",
             "a tomato": "red", "coal": "black", "milk": "white", "the sun": "yellow", "a strawberry": "red",
             "a lemon": "yellow", "an elephant": "grey", "chocolate": "brown", "a frog": "green", "a pumpkin": "orange"}
SOUNDS = {"cat": "meow", "dog": "woof", "cow": "moo", "duck": "quack", "sheep": "baa", "pig": "oink", "lion": "roar",
          "bee": "buzz", "owl": "hoot", "mouse": "squeak", "hen": "cluck", "frog": "croak", "horse": "neigh"}
HOMES = {"fish": "in the water", "bird": "in a nest", "bee": "in a hive", "bear": "in the forest", "cow": "on a farm",
         "penguin": "where it is cold", "camel": "in the desert", "frog": "near a pond", "mole": "under the ground",
         "lion": "in the savanna", "rabbit": "in a burrow", "whale": "in the sea", "spider": "in a web"}
FACTS = [
    ("How many days are there in a week?", "There are seven days in a week.", "seven"),
    ("How many months are there in a year?", "There are twelve months in a year.", "twelve"),
    ("How many legs does a spider have?", "A spider has eight legs.", "eight"),
    ("How many legs does a dog have?", "A dog has four legs.", "four"),
    ("How many wheels does a bicycle have?", "A bicycle has two wheels.", "two"),
    ("How many hours are there in a day?", "There are 24 hours in a day.", "24"),
    ("How many minutes are there in an hour?", "There are 60 minutes in an hour.", "60"),
    ("What do bees make?", "Bees make honey.", "honey"),
    ("What do cows give us?", "Cows give us milk.", "milk"),
    ("What falls from clouds?", "Rain falls from clouds, and snow when it is cold.", "Rain"),
    ("What is ice made of?", "Ice is made of frozen water.", "water"),
    ("What comes after Monday?", "Tuesday comes after Monday.", "Tuesday"),
    ("What comes after winter?", "Spring comes after winter.", "Spring"),
    ("Which animal has a long trunk?", "The elephant has a long trunk.", "elephant"),
    ("Which animal has a long neck?", "The giraffe has a long neck.", "giraffe"),
    ("What shines at night?", "The moon and the stars shine at night.", "moon"),
    ("Where does the sun rise?", "The sun rises in the east.", "east"),
    ("Where does the sun set?", "The sun sets in the west.", "west"),
    ("What is the largest planet?", "The largest planet of our sun is Jupiter.", "Jupiter"),
    ("What is H2O?", "H2O is water.", "water"),
    ("What do you use to write?", "People write with a pen or a pencil.", "pencil"),
    ("What is a river?", "A river is water that flows through the land to a lake or to the sea.", "water"),
    ("What is a book?", "A book is many pages with words or pictures in it.", "pages"),
    ("What is the moon?", "The moon is a ball of rock that goes around the earth.", "earth"),
]

# Words for sentences to repeat: common ones, so that every piece of the vocabulary gets copied.
ADJECTIVES = TRAITS + COLOURS + """big small round long short warm cold soft hard bright dark fast slow sweet sour loud
clean dry wet heavy light empty full deep high new good great nice strange simple strong fresh wild calm""".split()
VERBS = """likes sees finds makes brings takes wants loves holds paints draws counts moves opens closes carries buys
sells cleans keeps needs hears follows reads shows knows""".split()
ADVERBS = ["today", "tomorrow", "slowly", "quickly", "again", "now", "here", "every day", "at noon", "at night", "in spring",
           "on Monday", "in the garden", "at home", "after lunch", "with a friend"]
OTHER_WORDS = """hello world test message server client token stream model answer question prompt system memory time
water gate turbine work open source code data number letter word sentence page paper house street car bus plane morning
evening summer winter school teacher friend family mother father sister brother child music song dance game team dinner
lunch breakfast bread cheese milk tea coffee sugar salt silver copper iron wood glass paper ocean island desert sand
storm wind thunder lightning snow ice fire smoke earth moon sun sky planet space engine motor battery energy light
signal error status ready done start stop begin end first last north south east west alpha beta gamma delta echo
foxtrot hotel india juliet kilo lima mike november oscar papa quebec romeo sierra tango uniform victor whiskey xray
yankee zulu ping pong okay yes no maybe please thanks welcome goodbye apple banana cherry lorem ipsum dolor foo bar
baz quick lazy jumps over the brown dog""".split()
