"""Build `notebooks/{en,ko}/NN_name.ipynb` from `lessons/{en,ko}/NN_name.md`: add head, set-up cell and closing, and execute.

    python -m tools.build_notebooks                       all of them: `make notebooks`
    python -m tools.build_notebooks --only 01 --language ko
    python -m tools.build_notebooks --prose               keep the outputs; refused where code has changed
    python -m tools.build_notebooks --check               execute nothing; fail where a notebook and its source differ

The same source gives the same bytes: ids come from the content, and nothing that varies between two runs is stored.
"""

import argparse
import copy
import hashlib
import os
import sys
from pathlib import Path

import nbformat

from tools import lesson_source, notebook_runner, repository
from tools.lesson_source import LANGUAGES, ROOT, LessonError

HEAD = {
    "en": """\
# {lesson}. {title}

{badge}

**After this lesson you will be able to**

{objectives}

**Time:** about {minutes} minutes

**You need**

{needs}

[이 레슨을 한국어로 보기](../ko/{notebook})""",
    "ko": """\
# {lesson}. {title}

{badge}

**이 레슨을 마치면 할 수 있는 일**

{objectives}

**시간:** 약 {minutes}분

**준비물**

{needs}

[This lesson in English](../en/{notebook})""",
}
CLOSING = {"en": "## Where to go next\n\n{next}", "ko": "## 다음으로\n\n{next}"}
OPEN_IN_COLAB = {"en": "Open in Colab", "ko": "Colab에서 열기"}

# Short, because a beginner reads it: what Colab and Kaggle need beyond the clone stands in tools/colab.py.
SET_UP = {
    "en": '''\
# Set-up: run this cell first. On Colab and Kaggle it fetches the course, which takes a minute or two.
import os, subprocess, sys
from pathlib import Path

try:
    from helpers import environment
except ImportError:  # the course is not installed here: is it in a folder above, or has it to be fetched?
    course = next((folder for folder in Path.cwd().parents if (folder / "helpers/language.py").exists()), Path("{folder}"))
    source = os.environ.get("COURSE_SOURCE", "{address}")
    if not course.exists() and subprocess.getstatusoutput(f'git clone --quiet --depth 1 "{{source}}" "{{course}}"')[0]:
        raise SystemExit(f"The course could not be fetched from {{source}}: check the network, then run this cell again.")
    sys.path.insert(0, str(course.resolve()))
    from tools import colab
    colab.install(language="en")
    from helpers import environment

environment.prepare(language="en")''',
    "ko": '''\
# 준비: 이 셀을 먼저 실행하세요. Colab과 Kaggle에서는 강의 자료를 내려받느라 1~2분쯤 걸립니다.
import os, subprocess, sys
from pathlib import Path

try:
    from helpers import environment
except ImportError:  # 강의가 설치되어 있지 않습니다. 위쪽 폴더에 있는지 찾아보고, 없으면 내려받습니다.
    course = next((folder for folder in Path.cwd().parents if (folder / "helpers/language.py").exists()), Path("{folder}"))
    source = os.environ.get("COURSE_SOURCE", "{address}")
    if not course.exists() and subprocess.getstatusoutput(f'git clone --quiet --depth 1 "{{source}}" "{{course}}"')[0]:
        raise SystemExit(f"{{source}}에서 강의 자료를 내려받지 못했습니다. 네트워크를 확인하고 이 셀을 다시 실행하세요.")
    sys.path.insert(0, str(course.resolve()))
    from tools import colab
    colab.install(language="ko")
    from helpers import environment

environment.prepare(language="ko")''',
}

KERNEL = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"file_extension": ".py", "mimetype": "text/x-python", "name": "python", "pygments_lexer": "ipython3"},
}
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
NOT_COMPARED = "nbval-ignore-output"
SHOWS_FILES = "shows-files"


def notebook_path(lesson_path):
    """`lessons/en/01_x.md` → `notebooks/en/01_x.ipynb`."""
    language, project = lesson_path.parent, lesson_path.parents[2]
    return project / "notebooks" / language.name / f"{lesson_path.stem}.ipynb"


def assemble(lesson, repository_name):
    """The notebook of a lesson, not executed: head, set-up cell, the lesson's cells, what comes next."""
    cells = [
        nbformat.v4.new_markdown_cell(head(lesson, repository_name)),
        nbformat.v4.new_code_cell(set_up(lesson.language, repository_name), metadata={"tags": ["setup"]}),
        *(collapsed(cell) if "solution" in cell.metadata.get("tags", []) else cell for cell in lesson.cells),
        nbformat.v4.new_markdown_cell(closing(lesson)),
    ]
    notebook = nbformat.v4.new_notebook(cells=cells, metadata=nbformat.from_dict(KERNEL))
    notebook.nbformat_minor = 5
    name_cells(notebook, lesson.front_matter["lesson"])
    return notebook


def head(lesson, repository_name):
    front_matter = lesson.front_matter
    notebook = f"{lesson.path.stem}.ipynb"
    return HEAD[lesson.language].format(
        lesson=front_matter["lesson"], title=front_matter["title"], minutes=front_matter["minutes"], notebook=notebook,
        badge=repository.colab_badge(
            repository_name, f"notebooks/{lesson.language}/{notebook}", OPEN_IN_COLAB[lesson.language]),
        objectives="\n".join(f"- {each}" for each in front_matter["objectives"]),
        needs="\n".join(f"- {each}" for each in front_matter["needs"]),
    )


def closing(lesson):
    """What comes next, with a link where that lesson is there already."""
    text = CLOSING[lesson.language].format(next=lesson.front_matter["next"])
    following = sorted(lesson.path.parent.glob(f"{lesson.front_matter['lesson'] + 1:02d}_*.md"))
    if following:
        front_matter = lesson_source.read_front_matter(following[0])
        text += f"\n\n[{front_matter['lesson']}. {front_matter['title']}]({following[0].stem}.ipynb)"
    return text


def set_up(language, repository_name):
    return SET_UP[language].format(
        address=repository.clone_url(repository_name), folder=repository_name.split("/")[-1])


def collapsed(cell):
    """A solution: closed until the learner opens it, in JupyterLab and on the site."""
    cell.metadata["jupyter"] = {"source_hidden": True}
    cell.metadata["tags"] = [*cell.metadata["tags"], "hide-input"]
    return cell


def name_cells(notebook, lesson_number):
    """Give each cell an id made of its lesson and its content, so that a change moves no other cell's id."""
    seen = {}
    for cell in notebook.cells:
        content = f"{cell.cell_type}\n{cell.source}"
        seen[content] = seen.get(content, 0) + 1
        digest = hashlib.sha256(f"{content}\n{seen[content]}".encode()).hexdigest()
        cell["id"] = f"{lesson_number:02d}-{digest[:12]}"


def build(lesson_path, repository_name):
    """Execute a lesson and write its notebook; on any error the notebook that was there stays as it was.

    Raises:
        LessonError: the source has a mistake, or a cell raised or wrote to stderr.
    """
    lesson = lesson_source.read(lesson_path)
    notebook = assemble(lesson, repository_name)
    path = notebook_path(lesson_path)
    path.parent.mkdir(parents=True, exist_ok=True)
    execute(notebook, path.parent, lesson_source.name(lesson_path))
    write(notebook, path)
    return path


def execute(notebook, folder, where):
    """Put into a notebook the outputs that it has in every run."""
    try:
        notebook_runner.execute(notebook, folder)
    except notebook_runner.CellFailed as failure:
        raise LessonError(f"{where}: {failure}") from None
    tidy(notebook)
    refuse_stderr(notebook, where)


def reword(lesson_path, repository_name):
    """Write a lesson's changed prose into its notebook, whose outputs stay: `make test` compares them as ever.

    Cells with the tag `shows-files` print what stands in files of the repository, and are executed, behind the set-up cell
    and the imports alone.

    Raises:
        LessonError: there is no notebook yet, or a code cell is not the stored one.
    """
    path = notebook_path(lesson_path)
    where = lesson_source.name(path)
    if not path.exists():
        raise LessonError(f"{where}: not built yet, so it has no outputs to keep: build it without --prose")
    notebook = assemble(lesson_source.read(lesson_path), repository_name)
    stored = nbformat.read(path, as_version=nbformat.NO_CONVERT)
    new, old = ([cell for cell in each.cells if cell.cell_type == "code"] for each in (notebook, stored))
    if [cell.source for cell in new] != [cell.source for cell in old]:
        raise LessonError(f"{where}: a code cell has changed, so it has to be executed: build it without --prose")
    shown = show_files(new, path)
    for place, (cell, before) in enumerate(zip(new, old)):
        cell.outputs, cell.execution_count = shown.get(place, before.outputs), before.execution_count
        for output in cell.outputs:
            if "execution_count" in output:
                output.execution_count = before.execution_count
    write(notebook, path)
    return path


def show_files(cells, path):
    """{place: outputs} of the code cells that show files, executed behind the set-up cell and the imports."""
    places = [place for place, cell in enumerate(cells) if SHOWS_FILES in cell.metadata.get("tags", [])]
    if not places:
        return {}
    small = nbformat.v4.new_notebook(cells=copy.deepcopy([*cells[:2], *(cells[place] for place in places)]))
    execute(small, path.parent, lesson_source.name(path))
    return {place: cell.outputs for place, cell in zip(places, small.cells[2:])}


def tidy(notebook):
    """Keep of the outputs what is the same in every run."""
    notebook.metadata = nbformat.from_dict(KERNEL)
    for cell in notebook.cells:
        if cell.cell_type != "code":
            continue
        if NOT_COMPARED in cell.metadata.get("tags", []):  # a widget without its state shows nothing
            cell.outputs = [output for output in cell.outputs if WIDGET_VIEW not in output.get("data", {})]
        cell.outputs = joined(cell.outputs)
        for output in cell.outputs:
            output.get("data", {}).pop(WIDGET_VIEW, None)


def joined(outputs):
    """Printed text may arrive in pieces, differently each time: neighbours of one stream become one."""
    result = []
    for output in outputs:
        last = result[-1] if result else {}
        if output.output_type == "stream" == last.get("output_type") and output.name == last.get("name"):
            last["text"] += output.text
        else:
            result.append(output)
    return result


def refuse_stderr(notebook, where):
    for number, cell in enumerate((cell for cell in notebook.cells if cell.cell_type == "code"), start=1):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                raise LessonError(f"{where}: code cell {number} writes to stderr, which a learner reads as an error: "
                                  f"{' '.join(output.text.split())[:200]}")


def as_text(notebook):
    nbformat.validate(notebook)
    return nbformat.writes(notebook, version=nbformat.NO_CONVERT) + "\n"


def write(notebook, path):
    """Write beside the notebook, then replace it: nothing half-written is ever in its place."""
    half = path.with_suffix(".ipynb.half")
    try:
        half.write_text(as_text(notebook), encoding="utf-8", newline="\n")
        os.replace(half, path)
    finally:
        half.unlink(missing_ok=True)


def difference(lesson_path, repository_name):
    """One line on how a notebook differs from its source; None where it does not."""
    path = notebook_path(lesson_path)
    where = lesson_source.name(path)
    if not path.exists():
        return f"{where}: not built yet"
    wanted = assemble(lesson_source.read(lesson_path), repository_name)
    stored = without_outputs(nbformat.read(path, as_version=nbformat.NO_CONVERT))
    if len(stored.cells) != len(wanted.cells):
        return f"{where}: {len(stored.cells)} cells, its source gives {len(wanted.cells)}"
    for number, (one, other) in enumerate(zip(stored.cells, wanted.cells), start=1):
        if one != other:
            return f"{where}: cell {number} is not the source's (`{notebook_runner._first_line(other.source)}`)"
    return None if stored == wanted else f"{where}: other metadata than the builder writes"


def without_outputs(notebook):
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    return notebook


def orphans(lesson_paths, notebooks):
    """Notebooks that have no source."""
    built = {notebook_path(path) for path in lesson_paths}
    return [path for language in LANGUAGES for path in sorted((notebooks / language).glob("*.ipynb")) if path not in built]


def main(arguments=None, project=ROOT):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="execute nothing; fail where a notebook and its source differ")
    parser.add_argument("--prose", action="store_true", help="keep the outputs; refused where code has changed")
    parser.add_argument("--repository", default=repository.name(), metavar="OWNER/NAME", help="a fork's address")
    parser.add_argument("--only", type=int, nargs="+", metavar="NN", help="these lessons")
    parser.add_argument("--language", choices=LANGUAGES, help="this language")
    options = parser.parse_args(arguments)
    try:
        paths = lesson_source.paths(options.language, options.only, project / "lessons")
        if options.check:
            return check(paths, options, project)
        for path in paths:
            print(f"{lesson_source.name(notebook_path(path))} … ", end="", flush=True)
            (reword if options.prose else build)(path, options.repository)
            print("reworded" if options.prose else "built", flush=True)
    except LessonError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


def check(paths, options, project):
    complaints = [line for path in paths if (line := difference(path, options.repository))]
    if not options.only:
        every = lesson_source.paths(lessons=project / "lessons")
        complaints += [f"{lesson_source.name(path)}: no source" for path in orphans(every, project / "notebooks")]
    for line in complaints:
        print(line)
    if complaints:
        print("Run `make notebooks`.")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
