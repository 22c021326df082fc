"""Search by meaning: read texts, turn each into a vector once, and find the ones nearest to a question.

    corpus = search.from_folder("my_notes")          # or from_text("..."), from_csv("reviews.csv", "review")
    index = search.Index(encoder)                    # encoder: a SentenceEncoder
    index.add(corpus["text"], corpus["source"])
    index.query("Where did I put the recipe?", k=5)  # DataFrame: score, text, source

Source: Reimers & Gurevych 2019 (arXiv 1908.10084), section 1: one pass a sentence instead of one a pair.
"""

import codecs
import contextlib
import hashlib
import io
import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import pandas as pd

from helpers import encoding, pairs, saving, sentence_encoder
from helpers.language import say

LONG = 1_000  # characters of a paragraph: what is longer is divided, because BERT reads 512 pieces and no more
LARGE = 200_000  # texts: from here on `faiss`, where it is installed, saves more time than its answers lose
INDEX_FILE, VECTORS_FILE = "index.json", "vectors.safetensors"
FORMAT = 1
SAME = 1e-3  # how far the vector of one text may move between computers; another encoder's is far beyond it


class Index:
    """Texts and their vectors, to be searched by meaning.

    Args:
        encoder: a `SentenceEncoder`, or a `distillation.Distillation`.

    Attributes:
        encoder: the same.
        texts, sources: list of str, in the order they were added; a source is "" where none was given.
        vectors: float32 (texts, hidden), each of length 1, so that a dot product is a cosine.
    """

    def __init__(self, encoder):
        self.encoder = encoder
        self.texts, self.sources = [], []
        self.vectors = np.empty((0, encoder.hidden), "float32")
        self._changed()

    def _changed(self):
        """What is worked out from the texts and vectors is out of date."""
        self._approximate = None  # what faiss built for `vectors`
        self._shortest = min(range(len(self)), key=lambda place: len(self.texts[place]), default=None)

    def __len__(self):
        return len(self.texts)

    def add(self, texts, sources=None, progress=False):
        """Encode texts and keep them. One that is there already, from the same source, is not added again.

        Args:
            texts: list of str, or a column of a DataFrame.
            sources: as many str, where each text comes from; None for nowhere in particular.
            progress: bool, a bar with the time that remains.

        Raises:
            TypeError, ValueError: no text, an empty one, no string; as many sources as texts are needed; the encoder has
                changed since the first text was added.
        """
        texts = pairs.sentences(texts, "texts")
        sources = [""] * len(texts) if sources is None else [_printable(str(source)) for source in sources]
        pairs.check_lengths(texts=texts, sources=sources)
        known = set(zip(self.texts, self.sources))
        new = [pair for pair in dict.fromkeys(zip(texts, sources)) if pair not in known]
        if not new:
            return
        try:
            vectors = self._encode([text for text, _ in new], progress)
        except ValueError:
            self._refuse(texts)  # by the caller's own rows
            raise
        self.vectors = np.concatenate([self.vectors, vectors])
        self.texts += [text for text, _ in new]
        self.sources += [source for _, source in new]
        self._changed()

    def query(self, text, k=5, encoder=None):
        """The texts that are nearest in meaning, best first.

        Args:
            text: str.
            k: int, how many; all there are where there are fewer.
            encoder: another encoder of the same space, a `distillation.Distillation`; None for the index's own.

        Returns:
            DataFrame with the index `rank` from 1: `score` (cosine, from -1 to 1), `text`, and `source` where sources were given.

        Raises:
            TypeError, ValueError: the index or the text is empty; the text is no string; k is no positive whole number;
                the encoder has changed since the texts were added.
        """
        encoding.check_text(text, (self.encoder if encoder is None else encoder).tokenizer, pieces_at_most=np.inf)
        if not len(self):
            raise ValueError(say(
                "This index holds no text yet: add some with index.add(texts).",
                "이 색인에는 아직 글이 없습니다. index.add(texts)로 글을 넣으세요.",
            ))
        vector = self._encode([text])[0] if encoder is None else _unit(encoder.encode([text]))[0]
        scores, places = self.nearest(vector[None], k)
        found = {"score": scores[0], "text": [self.texts[place] for place in places[0]]}
        if any(self.sources):
            found["source"] = [self.sources[place] for place in places[0]]
        return pd.DataFrame(found, index=pd.RangeIndex(1, len(places[0]) + 1, name="rank"))

    def nearest(self, vectors, k=5):
        """The nearest texts of vectors that are there already.

        All of them are compared: one matrix product. Only with `LARGE` texts or more, and where `faiss` is installed, a graph
        is searched instead (HNSW, Malkov & Yashunin 2016, arXiv 1603.09320), which may miss a few of the nearest.

        Args:
            vectors: float32 (queries, hidden).
            k: int.

        Returns:
            scores, float32, and places in `texts`, int, both (queries, k), best first; equal scores in the order
            they were added (`faiss` keeps no such order).

        Raises:
            ValueError: the vectors have another length or hold NaN; k is no positive whole number.
        """
        if not encoding.is_whole(k) or k < 1:
            raise ValueError(say(
                f"k={k!r}: give a whole number from 1, like k=5.", f"k={k!r}: k=5처럼 1 이상의 정수를 주세요.",
            ))
        vectors = _unit(vectors)
        if vectors.shape[1] != self.encoder.hidden:
            raise ValueError(say(
                f"These vectors have {vectors.shape[1]} numbers, those of the index {self.encoder.hidden}: use the encoder that made the index.",
                f"이 벡터의 길이는 {vectors.shape[1]}, 색인의 벡터는 {self.encoder.hidden}입니다. 색인을 만든 인코더를 쓰세요.",
            ))
        k = min(int(k), len(self))
        faiss = _faiss() if len(self) >= LARGE else None
        if faiss is None:
            return self._exact(vectors, k)
        if self._approximate is None:
            self._approximate = faiss.IndexHNSWFlat(self.encoder.hidden, 32, faiss.METRIC_INNER_PRODUCT)
            self._approximate.add(self.vectors)
        self._approximate.hnsw.efSearch = max(64, 2 * k)  # how many candidates it looks at
        scores, places = self._approximate.search(vectors, k)
        incomplete = np.flatnonzero((places < 0).any(axis=1))  # the graph has fallen apart, as with thousands of equal texts
        if incomplete.size:
            scores[incomplete], places[incomplete] = self._exact(vectors[incomplete], k)
        return scores, places

    def _exact(self, vectors, k):
        """Scores and places by one matrix product."""
        scores = vectors @ self.vectors.T
        places = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        return np.take_along_axis(scores, places, axis=1), places

    def save(self, folder):
        """Write texts and vectors to a folder: JSON and safetensors, all of it or nothing. The encoder is not in it.

        Args:
            folder: str or Path; new, empty, or an index's (which is replaced).

        Raises:
            ValueError: the index is empty, its encoder has changed, or the folder holds other files.
            OSError: it cannot be written; an index saved there earlier is whole.
        """
        if not len(self):
            raise ValueError(say(
                "This index holds no text, so that there is nothing to save: add some with index.add(texts).",
                "이 색인에는 글이 없어 저장할 것이 없습니다. index.add(texts)로 글을 넣으세요.",
            ))
        self._encode([])
        about = {"format": FORMAT, "encoder": fingerprint(self.encoder), "texts": self.texts, "sources": self.sources}
        with saving.replacing(folder, {INDEX_FILE, VECTORS_FILE}, INDEX_FILE) as partial:
            saving.write_weights(partial / VECTORS_FILE, {"vectors": self.vectors})
            saving.write_text(partial / INDEX_FILE, json.dumps(about, ensure_ascii=False))

    @classmethod
    def load(cls, folder, encoder):
        """An index that `save` wrote.

        Args:
            folder: str or Path.
            encoder: the `SentenceEncoder` that made it, or one with the same weights, tokenizer and pooling.

        Returns:
            Index.

        Raises:
            ValueError: the folder holds no index, a damaged one, or one that another encoder made; it is a file.
            PermissionError: it may not be read.
        """
        folder = Path(folder).expanduser()
        try:
            about = json.loads((folder / INDEX_FILE).read_text(encoding="utf-8"))
            made_with, texts, sources = about["encoder"], about["texts"], about["sources"]
            vectors = saving.read_weights(folder / VECTORS_FILE)["vectors"]
            whole = about["format"] == FORMAT and vectors.ndim == 2 and len(vectors) == len(texts) == len(sources)
        except FileNotFoundError as error:
            missing = Path(error.filename).name
            raise ValueError(say(
                f"{folder} holds no index ({missing} is missing): give the folder that index.save(folder) wrote.",
                f"{folder}에는 색인이 없습니다({missing} 없음): index.save(folder)로 저장한 폴더를 주세요.",
            )) from None
        except NotADirectoryError:
            raise ValueError(say(
                f"{folder} is a file, not the folder of an index: give the folder that index.save(folder) wrote.",
                f"{folder}은(는) 색인 폴더가 아니라 파일입니다: index.save(folder)로 저장한 폴더를 주세요.",
            )) from None
        except PermissionError:
            raise
        except Exception:  # whatever a damaged file makes a reader raise
            whole = False
        if not whole:
            raise ValueError(say(
                f"The index in {folder} is damaged: delete the folder and build the index again with index.add(texts).",
                f"{folder}의 색인이 손상되었습니다. 폴더를 지우고 index.add(texts)로 다시 만드세요.",
            ))
        if made_with != fingerprint(encoder):
            raise ValueError(_another_encoder())
        index = cls(encoder)
        index.texts, index.sources, index.vectors = texts, sources, vectors
        index._changed()
        return index

    def _refuse(self, texts):
        """Stop at the first text that the tokenizer cannot read."""
        for row, text in enumerate(texts):
            try:
                encoding.check_text(text, self.encoder.tokenizer, pieces_at_most=np.inf)
            except ValueError as error:
                raise ValueError(f"texts[{row}]: {error}") from None

    def _encode(self, texts, progress=False):
        """Unit vectors of texts. With them goes the shortest text of the index: is its vector still the one that was kept?"""
        if self._shortest is None:
            return _unit(self.encoder.encode(texts, progress=progress)) if texts else self.vectors
        vectors = _unit(self.encoder.encode(texts + [self.texts[self._shortest]], progress=progress))
        if vectors.shape[1] != self.vectors.shape[1] or np.abs(vectors[-1] - self.vectors[self._shortest]).max() > SAME:
            raise ValueError(_another_encoder())
        return vectors[:len(texts)]


def fingerprint(encoder):
    """What an encoder is, in 64 letters: the same for the same weights, tokenizer, pooling and length, and for no other.

    Args:
        encoder: a `SentenceEncoder`, or a `distillation.Distillation`.

    Returns:
        str, the SHA-256 in hexadecimal.
    """
    digest = hashlib.sha256()
    reader = getattr(encoder, "student", encoder)  # what was distilled reads with its student and maps the vectors
    tokenizer = json.loads(encoder.tokenizer.backend_tokenizer.to_str())
    reads = {name: tokenizer.get(name) for name in ("normalizer", "pre_tokenizer", "model")}
    settings = [reader.pooling, reader.normalize, reader.max_length, encoder.hidden, reads]
    digest.update(json.dumps(settings, sort_keys=True).encode())
    for weight in reader.model.weights + ([] if reader is encoder else encoder.to_teacher.weights):
        if "/pooler/" not in weight.name:  # no pooling here uses it
            digest.update(np.ascontiguousarray(weight.numpy(), "float32").data)
    return digest.hexdigest()


def _another_encoder():
    return say(
        "This index was made with another encoder (other weights, tokenizer or pooling), so that its vectors mean something else: "
        "use the encoder that made it, or build the index again with index.add(texts).",
        "이 색인은 다른 인코더(가중치, 토크나이저 또는 풀링이 다름)로 만들어서 벡터의 뜻이 다릅니다. "
        "색인을 만든 인코더를 쓰거나 index.add(texts)로 색인을 다시 만드세요.",
    )


def _printable(source):
    """A source without the half characters (surrogates) of a file name in an old encoding, which no file in UTF-8 can hold."""
    return source.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unit(vectors):
    """float32 (n, hidden), each row of length 1; a row of zeros stays one."""
    vectors = np.atleast_2d(np.asarray(vectors, "float32"))
    sentence_encoder.refuse_no_numbers(vectors)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.divide(vectors, lengths, out=np.zeros_like(vectors), where=lengths > 0)


def _faiss():
    """The library, where it is installed (`pip install faiss-cpu`); else None."""
    try:
        import faiss
    except ImportError:
        return None
    return faiss


# --- the learner's own texts --------------------------------------------------------------------------------------


def from_text(text):
    """Texts that were pasted, one a line.

    Args:
        text: str.

    Returns:
        DataFrame: `source` ("line 1", …) and `text`.

    Raises:
        TypeError: it is no string.
        ValueError: nothing is in it.
    """
    if not isinstance(text, str):
        raise TypeError(say(
            f"Expected one pasted text with a line for each entry, not {type(text).__name__}. A list goes straight into index.add(texts).",
            f"한 줄에 하나씩 붙여 넣은 글이 필요한데 {type(text).__name__}이(가) 왔습니다. 목록은 바로 index.add(texts)에 넣으세요.",
        ))
    rows = [(say(f"line {number}", f"{number}번째 줄"), line.strip()) for number, line in enumerate(text.splitlines(), 1)]
    return _corpus(rows, say("the pasted text", "붙여 넣은 글"))


def from_folder(folder, encoding="utf-8-sig"):
    """The paragraphs of all .txt files in a folder and the folders in it, hidden ones left out; an empty line ends a paragraph.

    A paragraph of more than `LONG` characters is divided at ends of lines and of sentences.

    Args:
        folder: str or Path.
        encoding: str, how the files are written that are not in UTF-8; "cp949" for those of older Korean programs.

    Returns:
        DataFrame: `source` ("notes.txt, 3" is its third paragraph) and `text`.

    Raises:
        ValueError: no such folder, no .txt file in it, a file in another encoding (it is named), or no text in any.
        PermissionError: a file may not be read.
    """
    folder = Path(folder).expanduser()
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() == ".txt" and path.is_file()
                   and not any(part.startswith(".") for part in path.relative_to(folder).parts))
    if not files:
        there = folder.is_dir()
        raise ValueError(say(
            f"There is no .txt file in {folder.name!r}: put your texts there." if there else f"There is no folder {str(folder)!r}: check its name.",
            f"{folder.name!r} 폴더에 .txt 파일이 없습니다. 글을 그곳에 넣으세요." if there else f"{str(folder)!r} 폴더가 없습니다. 이름을 확인하세요.",
        ))
    rows = []
    for path in files:
        lines = "\n".join(line if _visible(line) else "" for line in _decoded(path, encoding).splitlines())
        paragraphs = filter(None, map(str.strip, re.split(r"\n\n+", lines)))
        name = path.relative_to(folder).as_posix()
        rows += [(f"{name}, {number}", part) for number, text in enumerate(paragraphs, 1) for part in _parts(text)]
    return _corpus(rows, folder.name)


def from_csv(path, column, encoding="utf-8-sig"):
    """One column of a CSV file. Cells without text are left out, which is said in one line.

    Args:
        path: str or Path.
        column: str, its name in the first row.
        encoding: str, how the file is written if not in UTF-8; "cp949" for those of older Korean programs.

    Returns:
        DataFrame: `source` ("row 2" is the first one below the names) and `text`.

    Raises:
        ValueError: no such file, no such column (those that there are are named), another encoding, or no text in the column.
        PermissionError: it may not be read.
    """
    path = Path(path).expanduser()
    if not path.is_file():
        raise ValueError(say(f"There is no file {str(path)!r}: check its name.", f"{str(path)!r} 파일이 없습니다. 이름을 확인하세요."))
    text = _decoded(path, encoding)
    body = text.lstrip("\n")
    try:
        table = pd.read_csv(io.StringIO(body), dtype=str, keep_default_na=False, skip_blank_lines=False)  # a blank line is a row
        if not isinstance(table.index, pd.RangeIndex):  # pandas took what is too much for the names of rows, and moved the rest
            raise pd.errors.ParserError("the rows have more cells than the first row has names")
    except ValueError as error:  # pandas' own errors are ValueErrors
        if not isinstance(error, (pd.errors.ParserError, pd.errors.EmptyDataError)):
            raise
        what = " ".join(str(error).split())
        raise ValueError(say(
            f"{path.name} is no CSV table ({what}): save it again as CSV, with the names of the columns in the first row.",
            f"{path.name}은(는) CSV 표가 아닙니다({what}). 첫 줄에 열 이름을 두고 CSV로 다시 저장하세요.",
        )) from None
    if column not in table.columns:
        names = ", ".join(map(str, table.columns))
        raise ValueError(say(
            f"{path.name} has no column {column!r}: choose one of {names}.",
            f"{path.name}에는 {column!r} 열이 없습니다. 있는 열: {names}.",
        ))
    rows = [(say(f"row {number}", f"{number}행"), text.strip()) for number, text in enumerate(table[column], 2 + len(text) - len(body))]
    empty = sum(not _visible(text) for _, text in rows)
    corpus = _corpus(rows, f"{path.name}, {column}")
    if empty:
        print(say(f"{path.name}: {empty} of {len(rows)} rows have no text in {column!r} and are left out.",
                  f"{path.name}: 행 {len(rows)}개 가운데 {column!r} 열이 빈 행 {empty}개는 뺐습니다."))
    return corpus


def _decoded(path, encoding):
    """The text of a file. UTF-8 comes first, whatever is named: other texts are hardly ever valid UTF-8, and folders are mixed."""
    try:
        name = codecs.lookup(encoding).name
        content = path.read_bytes()
        for tried in [encoding] if name.startswith(("utf-16", "utf-32")) else dict.fromkeys(["utf-8-sig", encoding]):
            with contextlib.suppress(UnicodeError):
                return io.TextIOWrapper(io.BytesIO(content), encoding=tried).read()  # with the line ends of any system
        raise ValueError(say(
            f"{path.name} is not written in {encoding}: save it as UTF-8, or name its encoding, like encoding=\"cp949\".",
            f"{path.name} 파일은 {encoding} 인코딩이 아닙니다. UTF-8로 저장하거나 encoding=\"cp949\"처럼 인코딩을 알려 주세요.",
        ) if name.startswith("utf") else say(
            f"{path.name} is written neither in UTF-8 nor in {encoding}: save it as UTF-8, or name its own encoding.",
            f"{path.name} 파일은 UTF-8도 {encoding}도 아닙니다. UTF-8로 저장하거나 이 파일의 인코딩을 알려 주세요.",
        ))
    except OSError as error:
        raise PermissionError(say(
            f"{path.name} cannot be read ({error.strerror}): look at its rights, or take it out of the folder.",
            f"{path.name} 파일을 읽을 수 없습니다({error.strerror}). 권한을 확인하거나 폴더에서 빼 주세요.",
        )) from None
    except LookupError:
        raise ValueError(say(
            f"There is no encoding {encoding!r}: try \"utf-8\" or \"cp949\".", f"{encoding!r}(이)라는 인코딩은 없습니다. \"utf-8\"이나 \"cp949\"로 해 보세요.",
        )) from None


def _visible(text):
    """Is there anything to read in it? Pasted "empty" lines are often zero-width spaces, which `str.strip` keeps."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def _parts(paragraph):
    """One text, with single spaces; of a paragraph that is too long several, each as long as may be."""
    whole = " ".join(paragraph.split())
    if len(whole) <= LONG:
        return [whole]
    parts = [""]
    for piece in re.split(r"\n|(?<=[.!?…])\s+", paragraph):
        piece = " ".join(piece.split())
        if parts[-1] and len(parts[-1]) + len(piece) >= LONG:
            parts.append("")
        parts[-1] = f"{parts[-1]} {piece}".strip()
    return parts


def _corpus(rows, what):
    rows = [(source, text) for source, text in rows if _visible(text)]
    if not rows:
        raise ValueError(say(
            f"There is no text in {what}: put at least one sentence into it.",
            f"다음에는 글이 없습니다: {what}. 문장을 하나 이상 넣으세요.",
        ))
    return pd.DataFrame(rows, columns=["source", "text"])


# --- how good is a search? ----------------------------------------------------------------------------------------


def shared_words(queries, texts):
    """Search without a model: which part of the words of two texts is in both (Jaccard's coefficient)?

    Args:
        queries: list of str.
        texts: list of str.

    Returns:
        float32 (queries, texts), from 0 (no word in common) to 1 (the same words). Upper and lower case count as the same.
    """
    one, other = ([set(re.findall(r"\w+", text.lower())) for text in some] for some in (queries, texts))
    return np.array([[len(a & b) / max(1, len(a | b)) for b in other] for a in one], "float32").reshape(len(one), len(other))


def accuracy_at_1(scores, answers, own=None):
    """For how many queries does the right text have the highest score of all? A tie at the top is no find.

    Args:
        scores: float (queries, texts).
        answers: int (queries,), the column of the right text.
        own: int (queries,), the column of the query itself, which is left out; None where the queries are not among the texts.

    Returns:
        float from 0 to 1.

    Raises:
        TypeError, ValueError: no query; scores that are no table of numbers; answers or own not as many as queries, or no columns.
    """
    scores = np.array(scores, "float64")
    if scores.ndim != 2 or not scores.size:
        raise ValueError(say(
            f"scores has the shape {scores.shape}: give one row a query and one column a text, at least one of each.",
            f"scores의 모양이 {scores.shape}입니다: 질문마다 행 하나, 글마다 열 하나로 하나 이상씩 주세요.",
        ))
    for name, columns in {"answers": answers, **({} if own is None else {"own": own})}.items():
        pairs.check_lengths(scores=scores, **{name: columns})
        for row, column in enumerate(columns):
            if not encoding.is_whole(column) or not 0 <= column < scores.shape[1]:
                raise ValueError(say(
                    f"{name}[{row}] is {column!r}: give the number of a column, from 0 to {scores.shape[1] - 1}.",
                    f"{name}[{row}]이(가) {column!r}입니다: 0부터 {scores.shape[1] - 1}까지의 열 번호를 주세요.",
                ))
    rows, answers = np.arange(len(scores)), np.asarray(answers)
    if own is not None:
        scores[rows, np.asarray(own)] = -np.inf
    right = scores[rows, answers]
    scores[rows, answers] = -np.inf
    return float((right > scores.max(axis=1)).mean())


def rerank(text, found, judge):
    """Put what a search found into the order of a second, slower judge.

    Args:
        text: str, the query.
        found: DataFrame, what `Index.query` returned.
        judge: function (queries, texts), two lists of str of the same length, to as many numbers, more is better: where
            a cross-encoder is plugged in.

    Returns:
        DataFrame, `found` with a column `judged` before the others (in place of an earlier judge's), sorted by it, with the index
        `rank` from 1; what the judge finds equal stays in the order of the search.
    """
    judged = np.asarray(judge([text] * len(found), found["text"].tolist()), "float64")
    if judged.shape != (len(found),):
        raise ValueError(say(
            f"The judge gave {judged.shape} for {len(found)} texts: it should return one number a text.",
            f"글 {len(found)}개에 대해 {judged.shape} 모양의 값이 왔습니다. 글마다 수 하나를 돌려주어야 합니다.",
        ))
    order = np.argsort(-judged, kind="stable")
    again = found.drop(columns="judged", errors="ignore").iloc[order].set_axis(found.index)
    again.insert(0, "judged", judged[order])
    return again
