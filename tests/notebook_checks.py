"""What keeps nbval honest: each function looks at one notebook, or one pair of lessons, and returns its complaints.

An empty list is a pass. tests/test_notebooks.py and tests/test_lessons.py run them over everything that is stored, and feed
each one an example that is wrong in just that way.
"""

import ast
import html
import re

EXEMPTING_TAGS = {"nbval-ignore-output", "nbval-raises-exception", "raises-exception", "nbval-skip", "skip-execution"}
FORBIDDEN_TAGS = {"nbval-skip", "skip-execution", "raises-exception", "nbval-raises-exception"}
# A folder of the file system, not the middle of an address or of a relative path.
ABSOLUTE_PATH = re.compile(
    r"(?<![\w.:/~-])/(?:home|root|tmp|var|opt|usr|mnt|srv|etc|work|content|kaggle|private|Users|Library|Applications)/\w"
    r"|\b[A-Z]:\\\w|(?<!\w)~/\w|\bfile://")
DECIMAL, DIGITS = re.compile(r"-?\b\d+\.\d+\b"), 5


def code_cells(notebook):
    """(number, cell) of every code cell, counted from 1."""
    return list(enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1))


def texts(output):
    """The texts of an output, whatever its kind."""
    yield output.get("text", "")
    for kind, data in output.get("data", {}).items():
        if not kind.startswith("image/") or kind == "image/svg+xml":
            yield data if isinstance(data, str) else str(data)
    yield str(output.get("metadata", ""))


# --- one notebook -------------------------------------------------------------------------------------------------


def not_executed_in_order(notebook):
    """nbval compares nothing in a cell without an execution count, and says nothing about it."""
    return [f"code cell {number}: execution count {cell.execution_count}"
            for number, cell in code_cells(notebook) if cell.execution_count != number]


def empty_code_cells(notebook):
    return [f"code cell {number}: empty" for number, cell in code_cells(notebook) if not cell.source.strip()]


def stored_errors(notebook):
    return [f"code cell {number}: stored error {output.ename}" for number, cell in code_cells(notebook)
            for output in cell.outputs if output.output_type == "error"]


def stored_stderr(notebook):
    """A learner reads each as something gone wrong, and nbval does not compare it here."""
    return [f"code cell {number}: stored stderr {output.text[:60]!r}" for number, cell in code_cells(notebook)
            for output in cell.outputs if output.get("name") == "stderr"]


def widget_state(notebook):
    complaints = ["widget state in the metadata"] if "widgets" in notebook.metadata else []
    return complaints + [f"code cell {number}: a widget view, which nothing can show" for number, cell in code_cells(notebook)
                         for output in cell.outputs if any("widget" in kind for kind in output.get("data", {}))]


def absolute_paths(notebook):
    """Paths of the computer that built it mean nothing on a learner's."""
    complaints = []
    for number, cell in enumerate(notebook.cells, start=1):
        for text in (cell.source, *(text for output in cell.get("outputs", []) for text in texts(output))):
            complaints += [f"cell {number}: {text[match.start():match.end() + 30]!r}" for match in ABSOLUTE_PATH.finditer(text)]
    return complaints


def untold_exemptions(notebook):
    """Whatever nbval does not compare has a reason, and comments that switch it off are not used at all."""
    complaints = []
    for number, cell in code_cells(notebook):
        exempting = EXEMPTING_TAGS & set(cell.metadata.get("tags", []))
        if exempting and not str(cell.metadata.get("reason", "")).strip():
            complaints.append(f"code cell {number}: {', '.join(exempting)} without a reason")
        complaints += [f"code cell {number}: {tag} is not allowed" for tag in sorted(exempting & FORBIDDEN_TAGS)]
        if re.search(r"(?m)^\s*#\s*(?:NBVAL|PYTEST_VALIDATE)_", cell.source):
            complaints.append(f"code cell {number}: a comment that switches nbval off; use a tag with a reason")
    return complaints


def trailing_semicolons(notebook):
    """Jupyter hides the output of such a line, nbval does not: the cell fails there, for no visible reason."""
    return [f"code cell {number}: {line.strip()!r} ends with ;" for number, cell in code_cells(notebook)
            for line in cell.source.splitlines() if line.split("#")[0].rstrip().endswith(";")]


def instructor_blocks(notebook):
    return [f"cell {number}: an instructor block" for number, cell in enumerate(notebook.cells, start=1)
            if re.search(r"(?m)^:{3,}|\{instructor\}", cell.source)]


def figures_without_words(notebook):
    """A picture says in words what it shows: as alternative text, and as the text that nbval compares."""
    complaints = []
    for number, cell in code_cells(notebook):
        for output in cell.outputs:
            for kind in output.get("data", {}):
                if kind.startswith("image/"):
                    alt = output.get("metadata", {}).get(kind, {}).get("alt", "")
                    if not alt.strip() or alt not in output.data.get("text/plain", ""):
                        complaints.append(f"code cell {number}: a figure without alternative text; show it with helpers.plots")
    return complaints


def random_addresses(notebook):
    """`<… at 0x7f…>` is another one in every run."""
    return [f"code cell {number}: a memory address in the output" for number, cell in code_cells(notebook)
            for output in cell.outputs for text in texts(output) if re.search(r" at 0x[0-9a-fA-F]{6,}", text)]


def too_many_digits(notebook):
    """A float32 result differs from one processor to the next from about the sixth digit on; nbval compares every digit."""
    complaints = []
    for number, cell in code_cells(notebook):
        if not EXEMPTING_TAGS & set(cell.metadata.get("tags", [])):
            for text in (text for output in cell.outputs for text in texts(output)):
                complaints += [f"code cell {number}: {decimal}" for decimal in DECIMAL.findall(text)
                               if len(decimal.lstrip("-0.").replace(".", "")) > DIGITS]
    return complaints


def links_to_nowhere(notebook, folder):
    """Relative links of the prose lead to files that are there."""
    complaints = []
    for number, cell in enumerate(notebook.cells, start=1):
        if cell.cell_type != "markdown":
            continue
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`]*`", "", cell.source)):
            if not re.match(r"[a-z]+:|#", target) and not (folder / target.split("#")[0]).exists():
                complaints.append(f"cell {number}: {target} is not there")
    return complaints


def figures_shown(notebook):
    """The paths of the document's figures that `document.compare` shows in a notebook's outputs."""
    cells = [html.unescape(cell) for _, code_cell in code_cells(notebook) for output in code_cell.outputs
             for cell in re.findall(r"<td>(.*?)</td>", output.get("data", {}).get("text/html", ""), flags=re.DOTALL)]
    return {cell for cell in cells if cell.startswith("/")}


# --- a lesson and its twin in the other language ------------------------------------------------------------------


def different_code(one, other):
    """Where the code of two languages differs in more than comments and captions."""
    if len(one.code_cells) != len(other.code_cells):
        return [f"{one.label} has {len(one.code_cells)} code cells, {other.label} has {len(other.code_cells)}"]
    complaints = []
    for number, (cell, twin) in enumerate(zip(one.code_cells, other.code_cells), start=1):
        if meaning(cell.source) != meaning(twin.source):
            complaints.append(f"code cell {number} of {one.label} and {other.label}: the code differs")
        if cell.metadata.get("tags", []) != twin.metadata.get("tags", []):
            complaints.append(f"code cell {number} of {one.label} and {other.label}: the tags differ")
    return complaints


def meaning(source):
    """A cell's code as a tree, without comments, and without the captions that each language words for itself."""
    return ast.dump(_WithoutCaptions().visit(ast.parse(source)))


class _WithoutCaptions(ast.NodeTransformer):
    """Blanks the texts inside `print(...)` and of `title=`, `caption=`; what is computed there stays."""

    def visit_Call(self, call):
        self.generic_visit(call)
        if isinstance(call.func, ast.Name) and call.func.id == "print":
            call.args = [_Blank().visit(argument) for argument in call.args]
        for keyword in call.keywords:
            if keyword.arg in ("title", "caption"):
                keyword.value = _Blank().visit(keyword.value)
        return call


class _Blank(ast.NodeTransformer):
    def visit_Constant(self, constant):
        return ast.Constant("") if isinstance(constant.value, str) else constant

    def visit_JoinedStr(self, text):
        """Languages order the words of a sentence differently, so the order of the values does not count."""
        values = sorted((value for value in text.values if isinstance(value, ast.FormattedValue)), key=ast.dump)
        return ast.JoinedStr(values) if values else ast.Constant("")


def different_front_matter(one, other):
    complaints = [f"{key}: {one.front_matter[key]} in {one.label}, {other.front_matter[key]} in {other.label}"
                  for key in ("lesson", "minutes") if one.front_matter[key] != other.front_matter[key]]
    counts = [len(lesson.front_matter["objectives"]) for lesson in (one, other)]
    if counts[0] != counts[1]:
        complaints.append(f"{counts[0]} objectives in {one.label}, {counts[1]} in {other.label}")
    return complaints


def without_a_twin(lessons):
    """Lessons that stand in one language only; `lessons` are `Lesson`s of both."""
    names = {language: {lesson.path.name for lesson in lessons if lesson.language == language} for language in ("en", "ko")}
    return [f"{name} is missing in {language}" for language, other in (("en", "ko"), ("ko", "en"))
            for name in sorted(names[other] - names[language])]


def exercise_complaints(lesson):
    """Every lesson but the first asks two exercises or more, and each is followed by a solution."""
    number = lesson.front_matter["lesson"]
    asked = []
    for position, cell in enumerate(lesson.code_cells):
        for exercise in re.findall(r"exercises\.check\(\s*[\"'](\d\d\.\d+)[\"']", cell.source):
            if "solution" not in cell.metadata.get("tags", []):
                asked.append((exercise, position))
    complaints = [] if number == 0 or len(asked) >= 2 else [f"{lesson.label}: {len(asked)} exercises"]
    for exercise, position in asked:
        following = lesson.code_cells[position + 1:position + 2]
        if not exercise.startswith(f"{number:02d}."):
            complaints.append(f"{lesson.label}: exercise {exercise} belongs to another lesson")
        if not following or "solution" not in following[0].metadata.get("tags", []):
            complaints.append(f"{lesson.label}: exercise {exercise} is not followed by its solution")
    return complaints
