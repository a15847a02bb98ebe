"""Decks of cards, one per column: suits, ranks or colours in the order in which they are dealt."""

import numpy as np

from pomdp_envs.random import shuffles

DECK, SUITS, RANKS, COLORS = 52, 4, 13, 2
MOST_DECKS = 630  # cards and places among them are int16
SUIT_MARKS = "sdch"  # spades, diamonds, clubs, hearts
RANK_MARKS = "A23456789TJQK"
COLOR_MARKS = "br"  # black, red


def deal(uniforms: np.ndarray) -> np.ndarray:
    """Shuffle uniforms' length of cards 0 .. n - 1; card c has suit c % 4, colour c % 2 and rank c // 4 % 13.

    Args:
        uniforms: [n, B], n = 52 times the number of decks.

    Returns:
        int16 [n, B], in the order of dealing.
    """
    return shuffles(uniforms).astype(np.int16)


def suits(cards: np.ndarray) -> np.ndarray:
    """Return the suit 0 .. 3 of each card."""
    return cards % SUITS


def colors(cards: np.ndarray) -> np.ndarray:
    """Return the colour 0 or 1 of each card."""
    return cards % COLORS


def ranks(cards: np.ndarray) -> np.ndarray:
    """Return the rank 0 (ace) .. 12 (king) of each card."""
    return cards // SUITS % RANKS


def marks(names: str, cards: np.ndarray) -> str:
    """Write cards [n] with one character each."""
    return "".join(names[card] for card in cards.tolist())
