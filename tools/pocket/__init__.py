"""How the two pocket models are made: corpus, vocabulary, start, objectives, evaluation, model card.

`tools/train_pocket.py` and `tools/evaluate_pocket.py` are the commands; the configurations stand beside this file.
"""
