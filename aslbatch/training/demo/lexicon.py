# ruff: noqa: SIM905  a word list reads better as text than as a list of strings
"""Everyday English words and their signs: the closed part of the demo grammar.

Words are written by hand. A noun's or a verb's sign is its base form in capitals, and a verb of
two words becomes one sign (``look for`` is ``LOOK-FOR``). Inflected forms come from
:mod:`aslbatch.training.demo.inflection`.
"""


def sign_table(text: str) -> dict[str, str]:
    """Read a table of words and signs: ``last_week=LAST-WEEK``, blanks inside as underscores."""
    return dict(entry.replace("_", " ").split("=") for entry in text.split())


PERSONS = """actor aunt baby baker boss boy brother captain carpenter cashier chef child clerk
coach cousin dancer daughter dentist doctor driver engineer farmer father friend gardener girl
grandfather grandmother guard guest hunter husband judge king lawyer librarian man manager
mechanic mother musician nephew neighbor niece nurse painter pilot plumber police princess
queen sailor singer sister soldier son stranger student tailor teacher thief tourist uncle
waiter wife witch woman worker writer""".split()

ANIMALS = """ant bear bee bird butterfly cat chicken cow deer dog donkey duck eagle elephant fish
fox frog goat horse kitten lamb lion monkey mouse owl pig puppy rabbit rat sheep snake spider
tiger turtle whale wolf""".split()

THINGS = """apron arrow backpack bag ball balloon basket bed bell belt bench bicycle blanket boat
book boot bottle bowl box bracelet brick bridge broom brush bucket button cable camera candle cap
car card carpet chain chair clock coat coin computer cup curtain desk dish door drawer dress drum
engine envelope fan faucet fence flag flower fork glove guitar gun hammer hat heart helmet hole hook
jacket jar key knife ladder lamp leaf letter light lock machine magazine map medal mirror nail
necklace needle net newspaper oven pan paper pen pencil phone photo picture pillow pipe plane plant
plate pot present purse puzzle radio ring rope rug saw scarf scissors screen screw seed shelf ship
shirt shoe shovel sign sink skirt sock spoon stamp stick stone string suitcase sweater sword table
tape tent thread ticket tie tire tool towel toy train tray tree truck umbrella vase wallet watch
wheel window wire""".split()

FOODS = """apple banana bean burger cake carrot cherry cookie cucumber donut egg grape lemon lime
mushroom onion orange pancake peach pear pepper pickle pie pizza plum potato pumpkin sandwich
sausage steak strawberry taco tomato waffle""".split()

MASS_NOUNS = """bread butter cheese chocolate coffee dough flour garlic glue honey ice jam juice
meat milk money music oil paint pasta rice salad salt sand snow soap soup sugar tea water wine
wood work""".split()

PLACES = """airport attic bakery bank barn basement bathroom beach bedroom cafe castle church city
classroom farm field forest garage garden gym hall hospital hotel house island kitchen lake library
market mountain museum office park prison restaurant river roof room school stable station store
street studio theater tower town village yard""".split()

PHYSICAL = """big black blue bright broken brown cheap clean cold dark dirty dry empty expensive
flat fresh full green heavy hot huge large light little long narrow new old orange pink purple red
rough round sharp short small smooth soft strange straight sweet tall thick thin tiny warm wet
white wide wooden yellow""".split()

FEELINGS = """afraid alone angry blind bored brave busy calm clever crazy deaf excited famous free
funny happy healthy hungry jealous kind late lazy lonely lost lucky mean nervous nice polite poor
proud quiet ready rich rude sad safe scared serious shy sick smart strong surprised thirsty tired
weak wrong young""".split()

TRANSITIVE = """answer ask believe borrow break bring build buy call carry catch change check choose
clean close count cover cut destroy draw drop dry fill find fix fold forget guess hate have hear
help hide hit hold keep kick kiss know learn leave like lose love make measure meet mix move need
open pack paint pay plant press pull push put remember repair save see sell shake spill steal stop
take taste teach throw touch trust turn understand use visit want wash watch wear win wrap
write""".split()

EDIBLE = """bake boil buy chop cook cut drink eat fry grate melt mix order peel pour serve
stir""".split()

INTRANSITIVE = """arrive bark breathe climb cough cry dance die disappear drive fall fight fly grow
jump kneel laugh leave lie listen live move play pray rest run scream shout sing sleep smile sneeze
snore speak stay study swim talk think travel wait walk whisper work worry""".split()

PHRASAL_TRANSITIVE = [
    word.replace("_", " ")
    for word in """look_at look_for wait_for talk_to pick_up turn_on turn_off put_on
throw_away listen_to think_about""".split()
]
PHRASAL_INTRANSITIVE = [
    word.replace("_", " ")
    for word in """wake_up get_up sit_down stand_up come_back give_up
go_away calm_down run_away show_up""".split()
]
DITRANSITIVE = "bring give lend send show tell throw".split()
MOTION = "come drive fly go ride run travel walk".split()
WITH_INFINITIVE = "forget hope learn like love need plan try want".split()
WITH_CLAUSE = "believe guess hope know say think".split()

PREPOSITIONS = """above across against around at behind between from in inside into near next-to
off on outside over through toward under with without for after before about""".split()
STATIC_PREPOSITIONS = "at behind in near on under outside inside".split()

NUMBERS = """two three four five six seven eight nine ten eleven twelve twenty thirty fifty
hundred""".split()
QUANTIFIERS = "many few some several enough all".split()

PAST_TIMES = sign_table("""
yesterday=YESTERDAY last_week=LAST-WEEK last_night=LAST-NIGHT last_month=LAST-MONTH
last_year=LAST-YEAR last_summer=LAST-SUMMER this_morning=THIS-MORNING an_hour_ago=HOUR-AGO
a_long_time_ago=LONG-AGO recently=RECENTLY
""")
FUTURE_TIMES = sign_table("""
tomorrow=TOMORROW next_week=NEXT-WEEK tonight=TONIGHT next_month=NEXT-MONTH next_year=NEXT-YEAR
later=LATER soon=SOON this_weekend=THIS-WEEKEND
""")
HABIT_TIMES = sign_table("""
every_day=EVERY-DAY every_night=EVERY-NIGHT on_weekends=WEEKEND every_morning=EVERY-MORNING
every_summer=EVERY-SUMMER
""")
PRESENT_TIMES = sign_table("""
now=NOW today=TODAY right_now=RIGHT-NOW
""")
WEEKDAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
FREQUENCIES = "always often sometimes never usually rarely".split()
MANNERS = """again alone badly carefully early fast finally maybe outside quickly really slowly
suddenly together too very well here there""".split()
DEGREES = "very really too so".split()

MODALS = sign_table("""
can=CAN must=MUST should=SHOULD may=MAYBE would=WOULD could=COULD
""")

INTERJECTIONS = sign_table("""
oh=OH hey=HEY yes=YES no=NO hello=HELLO hi=HI okay=OKAY wow=WOW well=WELL sorry=SORRY
thank_you=THANK-YOU excuse_me=EXCUSE-ME come_on=COME-ON good_morning=GOOD-MORNING
good_night=GOOD-NIGHT sure=SURE goodbye=GOODBYE of_course=OF-COURSE my_God=MY-GOD look=LOOK
listen=LISTEN wait=WAIT please=PLEASE congratulations=CONGRATULATIONS
ladies_and_gentlemen=AUDIENCE
""")

CONJUNCTIONS = sign_table("""
because=BECAUSE but=BUT and=AND or=OR so=SO when=WHEN while=WHILE until=UNTIL before=BEFORE
after=AFTER if=SUPPOSE then=THEN
""")

NAMES = """Adam Alice Amira Anna Ben Bruno Carla Clara Daniel David Diego Elena Ella Emma Felix
Frank George Grace Hana Henry Ivan Jack James Jane John Julia Karim Kate Laura Leo Linda Lucas Lucy
Maria Mark Mary Max Mia Michael Mona Nina Noah Olga Omar Oscar Paul Peter Rita Rosa Ruth Sam Sara
Simon Sofia Tariq Thomas Tom Vera Walter Yuki Zoe London Paris Boston Berlin Chicago Texas Mexico
Canada Japan""".split()
TITLES = sign_table("""
Mr.=MR Mrs.=MRS Dr.=DOCTOR
""")
ABSTRACTS = """answer problem story game song question idea lesson movie name party plan reason
secret surprise trip word dream job letter day night week hour minute year""".split()
