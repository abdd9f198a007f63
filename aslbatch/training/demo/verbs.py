"""The verbs of the demo lexicon with all their forms, by what may follow them."""

from aslbatch.training.demo import lexicon
from aslbatch.training.demo.inflection import verb

TRANSITIVE = [verb(base) for base in lexicon.TRANSITIVE + lexicon.PHRASAL_TRANSITIVE]
EDIBLE = [verb(base) for base in lexicon.EDIBLE]
INTRANSITIVE = [verb(base) for base in lexicon.INTRANSITIVE + lexicon.PHRASAL_INTRANSITIVE]
DITRANSITIVE = [verb(base) for base in lexicon.DITRANSITIVE]
MOTION = [verb(base) for base in lexicon.MOTION]
