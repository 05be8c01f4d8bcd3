"""The same mistakes given to peers: to Keras in Python, and to Ludwig in its YAML.

**What they are given.** Each fault of a spec that can be said in Keras Python is put into straightforward functional Keras
source of the same net: a line a layer, the arguments that the spec writes, the spec's own names, the spec's params and
blocks as variables and functions. It is put there as the same edit at the same layer. Ludwig has no layers to wire: it is
given the same kinds of fault, by rules of the same form, in configs of comparable nets. A kind that a language has no words
for (a colon of YAML in Python, a budget) is left out, and so is an edit that is no fault there: Keras source that builds the
very model of the good source, YAML that reads as the very tree of the good config.

**How they are judged.** By rule, from what a user sees:

* found: building the model (Keras), or constructing ``LudwigModel`` (Ludwig), raises; for Ludwig, a logged warning that the
  good config does not have counts as well;
* line: Keras, the innermost line of the traceback in the user's file; Ludwig, a ``line N`` in what it says;
* token: what is said names the faulty token or, where a value is at fault, its argument; or a syntax error points at it;
* fix: what is said names the right word, or what would be allowed, Python's and YAML's own hints included. A list of all
  that is allowed counts as much as a suggestion.

That is milder than nnspec's own measure, for which token is a stretch of columns and fix a particular advice. Peers stop at
their first error, so "no other error" is not asked of them. Nothing is remembered from one run to the next.
"""
