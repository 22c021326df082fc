"""From sentences to vectors: BERT, then pooling, in batches; and an encoder that can be saved and shared.

    encoder = SentenceEncoder(checkpoints.resolve("bert-base-uncased"))
    vectors = encoder.encode(["Soccer is fun.", "The sky is blue."])
    encoder.similarity(vectors, vectors)

Source: Reimers & Gurevych 2019 (arXiv 1908.10084), section 3. A saved encoder has the folder layout of the
sentence-transformers library: `SentenceTransformer(folder)` loads it there.
"""

import copy
import json
import math
import shutil
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np

from helpers import checkpoints, encoding, fusing, pooling, saving
from helpers.language import say

BUCKET = 8  # tokens: for XLA, the length of a batch is rounded up to a multiple, so that it has few shapes to compile
AT_ONCE = 2  # batches: while one does what a single core does, the other keeps the rest of the cores busy
PIECES_AT_ONCE = 8192  # a batch of more keeps them busy by itself, and two of them would take twice the memory

# The folder layout of sentence-transformers, in the spelling that its versions 2 to 5 read.
MODULES, POOLING, NORMALIZE, TRANSFORMER = "modules.json", "1_Pooling", "2_Normalize", "sentence_bert_config.json"
POOLING_KEYS = {
    "cls": "pooling_mode_cls_token", "mean": "pooling_mode_mean_tokens", "max": "pooling_mode_max_tokens",
    # not ours, but a folder may name them
    "mean_sqrt_len_tokens": "pooling_mode_mean_sqrt_len_tokens", "weightedmean": "pooling_mode_weightedmean_tokens",
    "lasttoken": "pooling_mode_lasttoken",
}
OUR_FILES = {  # what may lie in a folder that `save` replaces
    MODULES, POOLING, f"{POOLING}/config.json", NORMALIZE, TRANSFORMER,
    *checkpoints.REQUIRED_FILES, *checkpoints.OPTIONAL_FILES,
}


class SentenceEncoder:
    """A BERT and the pooling behind it.

    Args:
        checkpoint: str or Path, a BERT checkpoint folder, like `checkpoints.resolve(...)` returns.
        pooling: str, "cls", "mean" or "max".
        normalize: bool, scale each vector to length 1.
        max_length: int, how many pieces of a text are read, [CLS] and [SEP] included; None for all that BERT can.
        jit_compile: bool, let `encode` compile one XLA program for each shape of a batch instead of one graph for
            them all. Each takes a second or more, so that this is for very many texts. Ignored where there is a GPU.

    Attributes:
        model: the `TFBertModel`, whose weights can be trained; all but the pooler, which no pooling here uses.
        tokenizer: its tokenizer.
        pooling, normalize, max_length, jit_compile: as above; the first three are fixed, graphs and indexes have been built with them.
        hidden: int, how long a vector is.

    Raises:
        ValueError: the folder is missing or holds no BERT; an unknown pooling; a max_length that BERT cannot read.
    """

    def __init__(self, checkpoint, pooling="mean", normalize=False, max_length=None, jit_compile=False):
        self._pool = _pooling_named(pooling)
        self._pooling, self._normalize, self.jit_compile = pooling, bool(normalize), bool(jit_compile)
        self.model, self.tokenizer = _bert(checkpoint)
        self.model.bert.pooler.trainable = False
        self.hidden = self.model.config.hidden_size
        self._max_length = _length(max_length, self.model, self.tokenizer)

    @property
    def pooling(self):
        return self._pooling

    @property
    def normalize(self):
        return self._normalize

    @property
    def max_length(self):
        return self._max_length

    def vectors(self, input_ids, attention_mask, training=False):
        """Sentence vectors of texts that are tokenized already; what training differentiates through.

        Args:
            input_ids: int (batch, tokens), tensor.
            attention_mask: int (batch, tokens), 1 for a real token and 0 for padding.
            training: bool, whether dropout is on.

        Returns:
            float32 (batch, hidden), tensor.
        """
        import tensorflow as tf

        # BERT decides nothing by the value of a tensor: AutoGraph would spend seconds on rewriting its code for nothing.
        bert = tf.autograph.experimental.do_not_convert(self.model.__call__)
        token_vectors = bert(input_ids, attention_mask=attention_mask, training=training).last_hidden_state
        sentence_vectors = self._pool(token_vectors, attention_mask)
        return tf.math.l2_normalize(sentence_vectors, axis=-1) if self.normalize else sentence_vectors

    def encode(self, texts, batch_size=32, progress=False):
        """Sentence vectors of texts, in their order.

        A text that is too long is cut to `max_length` pieces, which is said in one line. The same text twice is encoded once.

        Args:
            texts: list of str, or one str.
            batch_size: int, how many texts go through BERT at once.
            progress: bool, show a bar with the time that remains.

        Returns:
            float32 (texts, hidden), with no rows for an empty list; (hidden,) for one str.

        Raises:
            ValueError: a text is empty or no string (its index is named), the texts are a whole table, batch_size is no positive
                whole number, or the weights are spoilt: a vector is no number.
        """
        if not encoding.is_whole(batch_size) or batch_size < 1:
            raise ValueError(say(
                f"batch_size={batch_size!r}: give a whole number from 1, like batch_size=32.",
                f"batch_size={batch_size!r}: batch_size=32처럼 1 이상의 정수를 주세요.",
            ))
        if isinstance(texts, str):
            return self.encode([texts], batch_size, progress)[0]
        texts = _strings(texts)
        unique = list(dict.fromkeys(texts))
        pieces = self._pieces(unique, texts)
        vectors = np.empty((len(unique), self.hidden), "float32")
        # Texts of like length share a batch, so that little of it is padding; the longest first: memory that is short is short at once.
        by_length = sorted(range(len(unique)), key=lambda index: -len(pieces[index]))
        batches = [by_length[start:start + batch_size] for start in range(0, len(unique), batch_size)]
        computed = self._computed([[pieces[index] for index in batch] for batch in batches], batch_size)
        for batch, rows in zip(_with_bar(batches) if progress else batches, computed, strict=True):
            vectors[batch] = rows
        refuse_no_numbers(vectors)
        places = {text: place for place, text in enumerate(unique)}
        return vectors[[places[text] for text in texts]]

    def similarity(self, vectors, other_vectors):
        """Cosine of the angle between each vector and each other vector: 1 same direction, 0 none in common.

        Args:
            vectors: float32 (n, hidden), what `encode` returns; (hidden,) counts as one row.
            other_vectors: float32 (m, hidden) or (hidden,).

        Returns:
            float32 (n, m).

        Raises:
            ValueError: they are texts, of different length, or hold NaN.
        """
        one, other = _unit_rows(vectors), _unit_rows(other_vectors)
        if one.shape[1] != other.shape[1]:
            raise ValueError(say(
                f"Vectors of length {one.shape[1]} and {other.shape[1]} cannot be compared: encode both with the same encoder.",
                f"길이가 {one.shape[1]}과 {other.shape[1]}인 벡터는 비교할 수 없습니다: 둘 다 같은 인코더로 만드세요.",
            ))
        return one @ other.T

    def save(self, folder):
        """Write the encoder to a folder: safetensors and JSON, in the layout of sentence-transformers.

        Written beside it first and renamed at the end: an encoder saved there earlier stays whole if something goes wrong.

        Args:
            folder: str or Path; new, empty, or an encoder's (which is replaced).

        Raises:
            ValueError: the folder holds other files.
            OSError: it cannot be written, for example because the disk is full.
        """
        with saving.replacing(folder, OUR_FILES, MODULES) as partial:
            self._write(partial)

    @classmethod
    def load(cls, folder):
        """An encoder that `save`, or sentence-transformers, wrote.

        Args:
            folder: str or Path.

        Returns:
            SentenceEncoder.

        Raises:
            ValueError: the folder holds no encoder, a damaged one, or one with parts that this class does not have.
            PermissionError: it may not be read.
        """
        folder = Path(folder).expanduser()
        paths = _modules(folder)
        limits = _settings(folder / paths["Transformer"] / TRANSFORMER)
        return cls(folder / paths["Transformer"], _saved_pooling(folder / paths["Pooling"]), "Normalize" in paths,
                   limits.get("max_seq_length"))

    @cached_property
    def _graph(self):
        """`vectors` as TensorFlow compiles it: one graph for every shape, or one a shape."""
        import tensorflow as tf

        if self.jit_compile and not tf.config.list_physical_devices("GPU"):
            return tf.function(self.vectors, jit_compile=True)
        graph = tf.function(self.vectors, input_signature=[tf.TensorSpec((None, None), tf.int32)] * 2)
        with fusing.flat_layers(self.model):
            graph.get_concrete_function()  # traced here, and never again: it is for every shape
        return graph

    def _pieces(self, unique, texts):
        """The ids of each text, cut to `max_length`; says so once."""
        if not unique:
            return []
        try:
            pieces = self.tokenizer(unique, verbose=False, return_attention_mask=False, return_token_type_ids=False)["input_ids"]
        except Exception:  # one text breaks the whole batch: which one?
            self._refuse(unique, texts)
            raise
        nothing = self.tokenizer.num_special_tokens_to_add()
        self._refuse([text for text, ids in zip(unique, pieces) if len(ids) <= nothing], texts)
        too_long = {text: index for index, text in enumerate(unique) if len(pieces[index]) > self.max_length}
        if too_long:
            cut = self.tokenizer(list(too_long), truncation=True, max_length=self.max_length)["input_ids"]
            for index, ids in zip(too_long.values(), cut):
                pieces[index] = ids
            count = sum(text in too_long for text in texts)
            print(say(
                f"Texts longer than {self.max_length} pieces: {count}. Only their beginning is read.",
                f"{self.max_length}조각보다 긴 글 {count}개: 앞부분만 읽습니다.",
            ))
        return pieces

    def _refuse(self, suspects, texts):
        """Stop at the first of the suspects that the tokenizer cannot read."""
        for text in suspects:
            try:
                encoding.check_text(text, self.tokenizer, pieces_at_most=math.inf)
            except (TypeError, ValueError) as error:
                raise ValueError(f"texts[{texts.index(text)}]: {error}") from None

    def _computed(self, batches, batch_size):
        """Yield the vectors of each batch of pieces, in order; the first batch is the largest."""
        graph = self._graph  # before the threads, which would each build one
        pieces = len(batches[0]) * len(batches[0][0]) if batches else 0
        pool = ThreadPoolExecutor(AT_ONCE if pieces <= PIECES_AT_ONCE else 1)
        try:
            for batch, rows in zip(batches, pool.map(lambda batch: np.asarray(graph(*self._padded(batch, batch_size))), batches)):
                yield rows[:len(batch)]
        finally:  # Ctrl-C waits for what is being computed, and for no more
            pool.shutdown(cancel_futures=True)

    def _padded(self, pieces, batch_size):
        """int32 input_ids and attention_mask, both (batch, tokens)."""
        rows, tokens = len(pieces), len(pieces[0])  # the first is the longest
        if self.jit_compile:  # few heights as well: the first text once more fills the rows
            tokens = min(-(-tokens // BUCKET) * BUCKET, self.max_length)
            rows = min(1 << (rows - 1).bit_length(), batch_size)
            pieces = pieces + pieces[:1] * (rows - len(pieces))
        input_ids = np.full((rows, tokens), self.tokenizer.pad_token_id, "int32")
        attention_mask = np.zeros((rows, tokens), "int32")
        for row, ids in enumerate(pieces):
            input_ids[row, :len(ids)] = ids
            attention_mask[row, :len(ids)] = 1
        return input_ids, attention_mask

    def _write(self, folder):
        """Every file of the encoder."""
        config = copy.deepcopy(self.model.config)
        config.architectures, config.torch_dtype = ["BertModel"], "float32"
        config.save_pretrained(folder)
        weights = folder / checkpoints.MODEL_FILE
        _write_weights(self.model, weights)
        shutil.copymode(folder / "config.json", weights)  # safetensors lets only the owner read what it writes
        self.tokenizer.save_pretrained(folder)
        _write_json(folder / TRANSFORMER, {"max_seq_length": self.max_length, "do_lower_case": False})
        for name in (POOLING, NORMALIZE) if self.normalize else (POOLING,):
            (folder / name).mkdir()
        _write_json(folder / POOLING / "config.json", {
            "word_embedding_dimension": self.hidden,
            **{key: name == self.pooling for name, key in POOLING_KEYS.items()},
        })
        modules = [("Transformer", ""), ("Pooling", POOLING), ("Normalize", NORMALIZE)][:3 if self.normalize else 2]
        _write_json(folder / MODULES, [
            {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
            for number, (kind, path) in enumerate(modules)
        ])


# --- the model ----------------------------------------------------------------------------------------------------


def _pooling_named(name):
    return pooling.named(name)  # the constructor's argument hides the module's name


def _bert(checkpoint):
    """The TFBertModel and the tokenizer of a checkpoint folder."""
    folder = Path(checkpoint).expanduser()
    if not folder.is_dir():
        names = ", ".join(checkpoints.CHECKPOINTS)
        raise ValueError(say(
            f"{str(checkpoint)!r} is not a folder on this computer: write SentenceEncoder(checkpoints.resolve(name)) with one of {names}.",
            f"{str(checkpoint)!r}: 이 컴퓨터에 그런 폴더가 없습니다. {names} 가운데 하나로 SentenceEncoder(checkpoints.resolve(이름))이라고 쓰세요.",
        ))
    if _settings(folder / "config.json").get("model_type") != "bert" or not (folder / checkpoints.MODEL_FILE).is_file():
        raise ValueError(_not_a_bert(folder))
    weights = folder / checkpoints.MODEL_FILE
    if checkpoints.promised_size(weights) != weights.stat().st_size:
        raise ValueError(say(
            f"{weights} is cut off or altered (it is not as long as it says): save the encoder again, or copy the folder again.",
            f"{weights} 파일이 잘렸거나 바뀌었습니다(파일에 적힌 길이와 다름): 인코더를 다시 저장하거나 폴더를 다시 복사하세요.",
        ))
    from transformers import AutoTokenizer, TFBertModel

    try:  # use_safetensors: a pickle that lies beside the weights is not opened
        model, found = TFBertModel.from_pretrained(folder, use_safetensors=True, output_loading_info=True)
    except PermissionError:
        raise
    except (OSError, ValueError, TypeError, LookupError, AttributeError, ArithmeticError) as error:  # sizes that the weights do not have
        raise ValueError(_damaged(folder / "config.json")) from error
    if any("encoder.layer" in name.replace("/", ".") for name in found["unexpected_keys"]):  # they would be left out
        raise ValueError(_damaged(folder / "config.json"))
    if any("pooler" not in name for name in found["missing_keys"]):  # they would be random numbers
        raise ValueError(_not_a_bert(folder))
    for name in ("tokenizer_config.json", "tokenizer.json"):
        _settings(folder / name)
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder)
    except (ImportError, MemoryError, PermissionError):
        raise
    except Exception as error:  # the library's are of no class of their own
        raise ValueError(_damaged(folder / "tokenizer.json")) from error
    encoding.check_belong_together(model, tokenizer)
    return model, tokenizer


def _not_a_bert(folder):
    return say(
        f"{folder} holds no BERT: its config.json must say model_type bert, and its {checkpoints.MODEL_FILE} hold all of BERT's weights.",
        f"{folder}에는 BERT가 없습니다: config.json의 model_type이 bert이고 {checkpoints.MODEL_FILE}에 BERT의 가중치가 모두 있어야 합니다.",
    )


def _damaged(path):
    return say(
        f"{path} is damaged, or belongs to another encoder: save the encoder again, or copy the folder again.",
        f"{path} 파일이 손상되었거나 다른 인코더의 것입니다: 인코더를 다시 저장하거나 폴더를 다시 복사하세요.",
    )


def _length(asked, model, tokenizer):
    """How many pieces of a text are read."""
    at_most = min(model.config.max_position_embeddings, tokenizer.model_max_length)
    if asked is None:
        return at_most
    at_least = tokenizer.num_special_tokens_to_add() + 1
    if not encoding.is_whole(asked) or not at_least <= asked <= at_most:
        raise ValueError(say(
            f"max_length={asked!r}: this BERT reads {at_least} to {at_most} pieces, [CLS] and [SEP] included.",
            f"max_length={asked!r}: 이 BERT는 [CLS]와 [SEP]까지 {at_least}–{at_most}조각을 읽습니다.",
        ))
    return int(asked)


# --- texts and vectors --------------------------------------------------------------------------------------------


def _strings(texts):
    """A list of str, each of which has something in it."""
    if encoding.is_table(texts):
        raise ValueError(encoding.one_column("texts", texts))
    if isinstance(texts, bytes) or not hasattr(texts, "__iter__"):
        raise ValueError(say(
            f"Expected a list of sentences or one sentence, not {type(texts).__name__}: write encoder.encode(['Soccer is fun.']).",
            f"문장의 목록이나 문장 하나가 필요한데 {type(texts).__name__}이(가) 왔습니다: encoder.encode(['축구는 재미있다.'])처럼 쓰세요.",
        ))
    texts = list(texts)
    for index, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(say(
                f"texts[{index}] is {text!r}, not a text: leave it out, or put the sentence in quotation marks.",
                f"texts[{index}]이(가) 글이 아니라 {text!r}입니다: 빼거나 문장을 따옴표 안에 쓰세요.",
            ))
    return texts


def refuse_no_numbers(vectors):
    """Stop at vectors that hold NaN or infinity: every comparison with them would look like an answer.

    Args:
        vectors: float (n, hidden).

    Raises:
        ValueError: they do; names the first row.
    """
    spoilt = np.flatnonzero(~np.isfinite(vectors).all(axis=1))
    if spoilt.size:
        raise ValueError(say(
            f"Vector {spoilt[0]} holds NaN or infinity ({spoilt.size} of {len(vectors)} do): the encoder's weights are spoilt, load it again.",
            f"{spoilt[0]}번 벡터에 NaN이나 무한대가 있습니다({len(vectors)}개 가운데 {spoilt.size}개): 인코더의 가중치가 망가졌으니 다시 불러오세요.",
        ))


def _unit_rows(vectors):
    """float32 (n, hidden), each row of length 1; a row of zeros stays one: it points nowhere."""
    vectors = np.asarray(vectors)
    if not np.issubdtype(vectors.dtype, np.number) or vectors.ndim not in (1, 2):
        raise ValueError(say(
            "similarity compares vectors: give it what encoder.encode(texts) returns.",
            "similarity는 벡터를 비교합니다: encoder.encode(texts)의 결과를 주세요.",
        ))
    vectors = np.atleast_2d(vectors).astype("float32")
    refuse_no_numbers(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def _with_bar(batches):
    from tqdm.auto import tqdm

    return tqdm(batches, desc=say("encoding", "인코딩"))


# --- folders ------------------------------------------------------------------------------------------------------


def _write_weights(model, path):
    """The weights under PyTorch's names, which TensorFlow's classes read as well.

    `save_pretrained` would write TensorFlow's names, which PyTorch does not read.
    """
    from safetensors.numpy import save_file
    from transformers.modeling_tf_pytorch_utils import apply_transpose, convert_tf_weight_name_to_pt_weight_name

    tensors = {}
    for weight in model.weights:
        name, transpose = convert_tf_weight_name_to_pt_weight_name(weight.name, "bert.", weight.shape)
        # Laid out anew: safetensors writes memory as it lies, and a transposed array lies as it did.
        tensors[name] = np.ascontiguousarray(apply_transpose(transpose, weight.numpy(), pt_to_tf=False), "float32")
    save_file(tensors, path, metadata={"format": "pt"})


def _write_json(path, values):
    path.write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def _json(path, otherwise):
    """What a JSON file holds; `otherwise` where there is none to read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return otherwise


def _settings(path):
    """The object (dict) that a JSON file holds; empty where there is no file."""
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except ValueError:
        settings = None
    if not isinstance(settings, dict):
        raise ValueError(_damaged(path))
    return settings


def _modules(folder):
    """{kind: path inside the folder} of a saved encoder: a Transformer, a Pooling, perhaps a Normalize."""
    modules = _json(folder / MODULES, None)
    try:
        kinds = [module["type"].rsplit(".", 1)[-1] for module in modules]
        paths = {kind: str(module["path"]) for kind, module in zip(kinds, modules)}
    except (TypeError, KeyError, AttributeError):
        kinds = None
    if not kinds:
        raise ValueError(say(
            f"{folder} holds no sentence encoder (no {MODULES}): give a folder that encoder.save wrote. "
            "A BERT checkpoint becomes an encoder by SentenceEncoder(folder).",
            f"{folder}에는 문장 인코더가 없습니다({MODULES} 없음): encoder.save로 저장한 폴더를 주세요. "
            "BERT 체크포인트는 SentenceEncoder(folder)로 인코더가 됩니다.",
        ))
    if kinds not in (["Transformer", "Pooling"], ["Transformer", "Pooling", "Normalize"]):
        raise ValueError(say(
            f"{folder} is made of {', '.join(kinds)}: this course's encoder is a Transformer, a Pooling and perhaps a Normalize.",
            f"{folder}의 구성은 {', '.join(kinds)}입니다: 이 강좌의 인코더는 Transformer, Pooling, (있으면) Normalize로 되어 있습니다.",
        ))
    return paths


def _saved_pooling(folder):
    """The name of the pooling, out of either spelling that sentence-transformers has had for it."""
    if not (folder / "config.json").is_file():
        raise ValueError(_damaged(folder / "config.json"))
    config = _settings(folder / "config.json")
    modes = config.get("pooling_mode") or [name for name, key in POOLING_KEYS.items() if config.get(key)]
    return modes[0] if isinstance(modes, list) and len(modes) == 1 else modes
