"""Everyday sentences for the sample corpus, from templates with slots that fit together."""

import random
import re

_SLOTS = {
    "name": """Anna Ben Carla Daniel Elena Frank Grace Henry Julia Leo Maria Nina Oscar Paula Rosa
Sam Zoe Dolores Matteo Ingrid Kwame Priya Fatima""",
    "city": "Boston Chicago Paris Berlin London Lisbon Nairobi Toronto Denver Kyoto",
    "family": "mother father sister brother uncle aunt cousin grandmother grandfather daughter son",
    "job": """doctor teacher baker farmer nurse pilot carpenter mechanic painter librarian plumber
lawyer dentist gardener""",
    "food": "soup bread salad rice pasta cheese cake pie pizza sandwich",
    "fruit": "apple banana lemon orange peach pear carrot onion tomato potato cucumber",
    "tool": "knife fork spoon hammer brush broom shovel ladder needle rope bucket",
    "thing": """book letter phone key bag coat hat camera guitar umbrella wallet ticket bicycle
mirror lamp clock picture blanket""",
    "place": """kitchen garden library school hospital office market park station museum restaurant
garage bakery hotel""",
    "room": "kitchen bedroom bathroom basement attic garage classroom",
    "animal": "dog cat horse rabbit bird cow goat duck fox turtle",
    "color": "red blue green black white yellow brown purple",
    "feeling": "happy sad tired hungry angry nervous excited proud bored surprised scared sick",
    "day": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday",
    "number": "2 3 4 5 6 8 10 12 15 20 30 45",
    "count": "two three four five six ten twelve",
}
_TIMES = ["yesterday", "last week", "last night", "this morning", "last summer"]
_FUTURES = ["tomorrow", "tonight", "next week", "next month", "soon"]
_CHOICES = {name: words.split() for name, words in _SLOTS.items()} | {
    "past": _TIMES,
    "future": _FUTURES,
}

_TEMPLATES = """\
My name is {name}.
Hi, I'm {name} and I live in {city}.
Where is my {thing}?
Have you seen my {color} {thing}?
I can't find the {thing}.
{name} lost a {thing} {past}.
My {family} is a {job}.
Is your {family} a {job}?
We bought a {color} {thing} {past}.
The {animal} is sleeping in the {room}.
There are {count} {animal}s behind the {place}.
There is a {animal} in the {place}.
First, cut the {fruit} with a sharp knife.
Now add {number} cups of water and stir slowly.
Put the {fruit} in the bowl and mix it well.
Don't touch the oven, it's hot!
Wash the {fruit} carefully before you eat it.
Let the {food} cool for {number} minutes.
Would you like some {food}?
Who ate my {food}?
I don't like {food}.
{name}, please close the window.
Please turn off the light in the {room}.
Don't forget your {thing}.
Give me the {tool}, please.
You will need a {tool} and a {tool}.
Hold the {tool} with your left hand.
Hang the {thing} on the wall.
How much does this {thing} cost?
It costs {number} dollars.
I will visit my {family} {future}.
She will fly to {city} {future}.
He went to the {place} {past}.
Let's go to the {place}.
I have to work on {day}.
The {place} is closed on {day}.
Are you {feeling}?
I'm not {feeling}, I'm just {feeling}.
Why are you so {feeling}?
My {family} was very {feeling} {past}.
If you are {feeling}, go home.
I was {feeling} because I lost my {thing}.
When the {job} arrived, everybody was {feeling}.
What did {name} say?
I think {name} is {feeling}.
I don't know where {name} lives.
Do you want to help me in the {room}?
Did you call the {job}?
Can you fix my {thing}?
We should ask the {job}.
You must wait for {number} minutes.
The train arrives at {number}.
Oh, thank you, {name}!
Wait, I forgot my {thing}.
Look, a {animal}!
Good morning, {name}.
Hey, come back!
Sorry, I broke your {thing}.
My {family} teaches children to swim.
The {job} is looking for a {tool}.
They are painting the {room} {color}.
Her {animal} likes to play in the snow.
{name} and my {family} are getting married {future}.
He told me a funny story about a {animal}.
Breathe slowly and bend your knees.
Keep your back straight.
Repeat this {number} times.
The {color} {thing} belongs to {name}.
I met a {job} from {city} {past}.
How old is your {family}?
She is {number} years old.
What is your favorite color?
""".splitlines()
_SLOT = re.compile(r"\{(\w+)\}")


def sentence(rng: random.Random) -> str:
    """Fill the slots of a template; the same generator state gives the same sentence."""
    template = rng.choice(_TEMPLATES)
    text = _SLOT.sub(lambda match: rng.choice(_CHOICES[match.group(1)]), template)
    text = re.sub(r"\b([Aa]) (?=[aeiou])", r"\1n ", text)
    return text.replace("foxs", "foxes")
