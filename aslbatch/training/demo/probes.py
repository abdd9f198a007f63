"""Free-form lines in the manner of subtitles, written by hand, never trained on.

They measure what happens outside the grammar: names, contractions, exclamations, orders,
numbers, and many words that the lexicon does not hold.
"""

import re
from collections.abc import Iterable

LINES = """\
Hi everybody, my name is Rosalind and today I'm gonna show you how to sharpen a kitchen knife.
First, you need a damp towel, a whetstone and a little patience.
Don't press too hard.
Where did Marguerite leave the spare batteries?
I can't believe it's raining again.
Oh no, the trailer got stuck in the mud!
Tell Kowalski we need three more sandbags.
She moved to Rotterdam in 2009.
Well, that's not what the brochure said.
Put the lid back on and let it simmer for 20 minutes.
Who ate my blueberry muffin?
The accountant isn't answering her email.
Wait, wait, wait. Did you hear that noise?
If you squeeze the trigger gently, the nozzle sprays a fine mist.
My grandmother used to knit these mittens every winter.
Come on, Theodore, we're gonna miss the ferry.
There are 14 students in the workshop.
Is anybody home?
Nobody told me about the rehearsal.
We will fold the napkins into little triangles.
He's allergic to peanuts.
Stop! You're stepping on the cable.
What kind of shampoo do you use?
I don't know, maybe the plumber forgot his wrench.
Turn the dial clockwise until you hear a click.
The kids were playing hopscotch behind the bakery.
Why is the dishwasher making that sound?
Thank you, Captain Okonkwo, that was very kind.
Grab the handle with your left hand.
It costs 45 dollars, but the warranty is free.
You have to sand the wood before you varnish it.
Her cousin works at a vineyard near Bordeaux.
I've never seen a comet.
Could you please lower the volume?
The raccoon knocked over the trash can last night.
How many calories does this smoothie have?
Let's take a quick break and stretch our ankles.
Svetlana and Miguel are getting married in October.
Keep your elbows close to your body.
That goalkeeper is unbelievable!
Excuse me, is this seat taken?
We ran out of gasoline near Albuquerque.
Nothing happened, I promise.
Use a toothpick to check if the cake is done.
The inspector wants to see your passport.
I'm exhausted. Let's go home.
Their landlord raised the rent again.
Be careful, the skillet is hot.
When the orchestra stopped, everyone applauded.
My laptop won't charge.
Attach the bracket with four screws.
Did Yolanda win the tournament?
You should water your orchids on Tuesday.
He whispered something to the bartender and disappeared.
A hummingbird can fly backwards.
What's your favorite dessert?
Sorry, I broke the thermometer.
The lighthouse was built in 1887.
Hold the leash tight.
I thought you were vegetarian.
Don't forget to oil the hinges.
She's the best violinist in Helsinki.
They painted the shutters turquoise.
Do you want mustard on your pretzel?
Okay, now we add two cups of flour and a pinch of nutmeg.
Nice to meet you, Mr. Fitzgerald.
The tractor needs a new battery.
Somebody stole the microphone.
Look at that sunset!
I'm not afraid of heights.
Why don't we ask the pharmacist?
Spread the glue evenly and wait for an hour.
Grandpa lost his dentures in the swimming pool.
The tunnel is 300 meters long.
Are you kidding me?
Dimitri, where are the binoculars?
It was a gloomy afternoon in November.
Rinse the lentils under cold water.
The referee didn't see the foul.
He plays the trombone, she plays the cello.
Your appointment is at 9:30.
Please fasten your seatbelts.
I found a fossil on the beach yesterday.
This is a beginner exercise for your shoulders.
Never mix bleach with vinegar.
Abigail said the elevator is broken.
Yes, and the ceiling is leaking too.
Can you zoom in on the license plate?
We hiked for 6 hours and saw a moose.
The volcano erupted in the middle of the night.
Bend your knees and exhale slowly.
Whose umbrella is this?
The mayor of Springfield apologized.
I'd rather stay here with Penelope.
Pull the zipper up, not down.
These sneakers are too tight.
Congratulations, Priyanka!
Everything smells like cinnamon.
Twist the wire around the peg, then trim the end.
Good night, sweetie. See you tomorrow.
""".splitlines()

_WORD = re.compile(r"[^\W\d_]+(?:[-'\u2019][^\W\d_]+)*")
_CONTRACTED = re.compile(r"(n['\u2019]t|['\u2019](s|m|re|ll|ve|d))$", re.IGNORECASE)


def known_words(texts: Iterable[str]) -> set[str]:
    """Return the lower-cased words of training lines that hold no invented word."""
    return {word.lower() for text in texts for word in _WORD.findall(text)}


def unknown_words(text: str, known: set[str]) -> list[str]:
    """Return the words of a line that are not in `known`; contractions and owners are left out."""
    words = _WORD.findall(text)
    return [word for word in words if word.lower() not in known and not _CONTRACTED.search(word)]
