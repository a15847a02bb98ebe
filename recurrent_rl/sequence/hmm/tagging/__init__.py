"""Tagging of words by a hidden Markov model of pairs of tags, counted from a tagged corpus: Brants' TnT."""

from recurrent_rl.sequence.hmm.tagging.tagger import HMMTagger, HMMTaggerModel, fit_tagger

__all__ = ["HMMTagger", "HMMTaggerModel", "fit_tagger"]
