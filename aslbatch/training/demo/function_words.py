"""Function words of free-form lines and what becomes of them in gloss; many are dropped."""

from aslbatch.training.demo.lexicon import sign_table

FUNCTION_WORDS = sign_table("""
the= a= an= to= of= is= are= was= were= be= been= being= am= has_been= do= did= does= not=NOT
don't=NOT doesn't=NOT didn't=NOT isn't=NOT aren't=NOT wasn't=NOT weren't=NOT haven't=NOT
hasn't=NOT can't=CANNOT won't=WILL_NOT couldn't=COULD_NOT shouldn't=SHOULD_NOT
wouldn't=WOULD_NOT it's=IX-IT that's=THAT there's=HAVE what's=WHAT who's=WHO he's=IX-HE
she's=IX-SHE I've=IX-1 I'll=IX-1_WILL you'll=IX-2_WILL he'll=IX-HE_WILL she'll=IX-SHE_WILL
we'll=IX-WE_WILL they'll=IX-THEY_WILL it'll=IX-IT_WILL you've=IX-2 we've=IX-WE they've=IX-THEY
I'd=IX-1_WOULD you'd=IX-2_WOULD he'd=IX-HE_WOULD we'd=IX-WE_WOULD I'm=IX-1 you're=IX-2
we're=IX-WE they're=IX-THEY gonna=WILL wanna=WANT gotta=HAVE-TO got=GET here's=HERE how's=HOW
where's=WHERE mine=POSS-1 yours=POSS-2 this=THIS that=THAT these=THESE those=THOSE here=HERE
there=THERE just=JUST still=STILL only=ONLY also=ALSO even=EVEN nothing=NOTHING
something=SOMETHING everything=EVERYTHING someone=SOMEONE everybody=EVERYBODY nobody=NOBODY
never=NEVER more=MORE than=THAN as=AS like=LIKE all=ALL every=EVERY up=UP down=DOWN out=OUT
back=BACK home=HOME one=ONE other=OTHER first=FIRST last=LAST much=MUCH good=GOOD who=WHO
which=WHICH where=WHERE how=HOW why=WHY what=WHAT maybe=MAYBE already=ALREADY yet=YET go=GO
let=LET time=TIME say=SAY said=SAY_FINISH went=GO_FINISH came=COME_FINISH told=TELL_FINISH
gave=GIVE_FINISH way=WAY must=MUST will=WILL a_little=LITTLE a_lot_of=MANY some=SOME any=ANY
by=BY anybody=ANYBODY anything=ANYTHING how_to=HOW used_to=PAST have_to=HAVE-TO had_to=HAVE-TO
wants_to=WANT want_to=WANT make_sure=MAKE_SURE kind_of=KIND you_know=IX-2_KNOW I_mean=IX-1_MEAN
each=EACH both=BOTH everyone=EVERYONE into=INTO do_you=IX-2 did_you=IX-2 myself=MYSELF
himself=HIMSELF about=ABOUT left=LEFT right=RIGHT hand=HAND next=NEXT done=DONE bad=BAD
hard=HARD
""")
