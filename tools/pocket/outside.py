"""Paragraphs of a folder of HTML pages as one text file, to measure a pocket model on text from elsewhere.

    apt-get download installation-guide-amd64 && dpkg-deb -x installation-guide-amd64_*.deb guide
    python -m tools.pocket.outside guide/usr/share/doc/installation-guide-amd64/ko debian_installation_guide_ko.txt
    make evaluate-pocket MODEL=pocket-korean ARGS="--outside debian_installation_guide_ko.txt"
"""

import argparse
from html.parser import HTMLParser
from pathlib import Path

SHORTEST = 40  # characters; shorter paragraphs are labels and menu entries
BREAKS = ("p", "pre", "table", "h1", "h2", "h3", "dt", "li")


class Paragraphs(HTMLParser):
    """Collects the text of every `<p>` in `found`."""

    def __init__(self):
        super().__init__()
        self.found, self._text, self._inside = [], "", False

    def handle_starttag(self, tag, attributes):
        if tag in BREAKS:
            self._end()
            self._inside = tag == "p"

    def handle_endtag(self, tag):
        if tag in BREAKS:
            self._end()

    def handle_data(self, data):
        if self._inside:
            self._text += data

    def _end(self):
        text = " ".join(self._text.split())
        if len(text) >= SHORTEST:
            self.found.append(text)
        self._text, self._inside = "", False


def paragraphs(page):
    """The paragraphs of one HTML page (str), list of str."""
    parser = Paragraphs()
    parser.feed(page)
    parser.close()
    return parser.found


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("pages", type=Path, help="folder of .html files, one document each")
    parser.add_argument("text", type=Path, help="file to write: a paragraph a line, an empty line between documents")
    options = parser.parse_args(arguments)
    documents = [paragraphs(path.read_text(encoding="utf-8")) for path in sorted(options.pages.glob("*.html"))]
    options.text.write_text("\n\n".join("\n".join(document) for document in documents if document) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
