import pytest

from helpers import language


@pytest.fixture(autouse=True)
def unset(monkeypatch):
    monkeypatch.delenv("COURSE_LANGUAGE", raising=False)


@pytest.mark.parametrize("folder, expected", [("ko", "ko"), ("en", "en"), ("lessons", "en"), ("korean", "en")])
def test_language_follows_the_notebooks_folder(tmp_path, monkeypatch, folder, expected):
    (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path / folder)
    assert language.current() == expected


def test_setting_beats_folder(tmp_path, monkeypatch):
    (tmp_path / "ko").mkdir()
    monkeypatch.chdir(tmp_path / "ko")
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    assert language.current() == "en"


@pytest.mark.parametrize("asked, expected", [("KO", "ko"), (" en ", "en"), ("", "en")])
def test_setting_is_read_kindly(tmp_path, monkeypatch, asked, expected):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COURSE_LANGUAGE", asked)
    assert language.current() == expected


def test_unknown_language_is_refused_in_both_languages(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "fr")
    with pytest.raises(ValueError, match=r"'fr': choose ko .* or en .*한국어.*고르세요") as error:
        language.current()
    assert "\n" not in str(error.value)


def test_say_picks_the_readers_text(monkeypatch):
    monkeypatch.setenv("COURSE_LANGUAGE", "ko")
    assert language.say("word", "단어") == "단어"
    monkeypatch.setenv("COURSE_LANGUAGE", "en")
    assert language.say("word", "단어") == "word"
