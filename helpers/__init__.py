"""What the notebooks of "From [MASK] to Meaning" share: one small module for each noun that a learner meets.

checkpoints, encoding, masked_lm, next_sentence  the models: which one loads from where, what goes in, what comes out
pooling, sentence_encoder                        from token vectors to one sentence vector, from sentences to vectors
datasets, pairs, sbert, training                 pairs of sentences, batches of them, Sentence-BERT's objectives, their training
search, distillation                             search by meaning; a second language in the space of the first
document                                         the walkthrough's figures beside the ones of this computer
plots, widgets, fonts                            figures, things to play with, Hangul in figures
exercises                                        checks that hint before they tell
environment, language                            is this computer ready; Korean or English
download, saving                                 one file from the network; files that are whole or not there
fusing                                           layers written so that TensorFlow fuses what they do

Imports go one way: lessons -> helpers -> libraries. Nothing is imported here, so `from helpers import ...` costs only
what it names.
"""

__version__ = "0.1.0"
